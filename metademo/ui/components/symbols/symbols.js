/**
 * Symbols in formulas that light what they stand for in a figure, and are lit by it. They are found by their colours,
 * see symbols.py, whenever KaTeX has drawn them, which may be late and again.
 *
 * @typedef {{color: string, name: string, label: string}} Symbol
 * @typedef {{page: string, symbols: Symbol[], assets: {style: string}}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests the host element tells in data-found how many symbols are in the page.
 */

import { loadStyle, mount, set } from "../kernel/base.js";
import { bringsForward, shared } from "../kernel/shared.js";

const SOON = 50; // ms after a change of the page

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Symbols(host));
}

class Symbols {
  /** @type {Data} */ data;
  /** @type {MutationObserver} */ observer;
  /** @type {() => void} */ unfollow;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.main = host.closest(".stColumn") ?? document.body;
  }

  /** @param {Component} component */
  update(component) {
    this.data = component.data;
    loadStyle(component.root + this.data.assets.style);
    /** @type {?HTMLElement} */
    const box = this.host.closest(".stElementContainer");
    if (box) box.style.display = "none";
    if (!this.observer) {
      this.observer = new MutationObserver(() => this.#soon());
      this.observer.observe(this.main, { childList: true, subtree: true });
      this.unfollow = shared(this.data.page).follow(() => this.#light());
    }
    this.#find();
  }

  #soon() { this.timer ??= setTimeout(() => this.#find(), SOON); }

  #find() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const known = new Map(this.data.symbols.map((symbol) => [written(symbol.color), symbol]));
    let found = 0;
    for (const span of /** @type {NodeListOf<HTMLElement>} */ (this.main.querySelectorAll(".katex-html [style*=color]"))) {
      const symbol = known.get(span.style.color);
      if (!symbol) continue;
      const whole = outermost(span);
      if (!whole.classList.contains("md-symbol")) this.#make(whole, symbol);
    }
    for (const { name } of this.data.symbols) found += this.#all(name).length;
    this.host.dataset.found = String(found);
    this.#light();
  }

  /** @param {HTMLElement} element  @param {Symbol} symbol */
  #make(element, { name, label }) {
    const { page } = this.data;
    element.classList.add("md-symbol");
    Object.assign(element.dataset, { name, page });
    element.tabIndex = 0;
    set(element, { role: "button", "aria-label": label, "aria-pressed": "false" });
    bringsForward(element, element, shared(page), name);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      element.click();
    });
    unveil(element);
  }

  /** The symbols of a name. @param {string} name  @returns {HTMLElement[]} */
  #all(name) {
    const { page } = this.data;
    /** @type {NodeListOf<HTMLElement>} */
    const all = this.main.querySelectorAll(".md-symbol");
    return [...all].filter(({ dataset }) => dataset.name === name && dataset.page === page);
  }

  #light() {
    const { name, pinned } = shared(this.data.page).values;
    for (const symbol of this.data.symbols) {
      for (const element of this.#all(symbol.name)) {
        element.classList.toggle("md-lit", symbol.name === name);
        set(element, { "aria-pressed": String(symbol.name === pinned) });
      }
    }
  }

  destroy() {
    clearTimeout(this.timer);
    this.observer?.disconnect();
    this.unfollow?.();
  }
}

/** A colour as the browser writes it. @param {string} color */
function written(color) {
  const pen = document.createElement("i").style;
  pen.color = color;
  return pen.color;
}

/** The group that KaTeX has made of a symbol: the largest element of this colour alone. @param {HTMLElement} span */
function outermost(span) {
  const { color } = span.style;
  const text = (/** @type {Element} */ element) => element.textContent;
  /** @type {HTMLElement} */
  let whole = span.closest(".mord") ?? span;
  for (let up = span.parentElement; up?.closest(".base") && !up.matches(".base"); up = up.parentElement) {
    const leaves = [...up.querySelectorAll("*")].filter((leaf) => !leaf.children.length && text(leaf)?.replace(/\u200b/g, ""));
    if (!leaves.every((leaf) => /** @type {?HTMLElement} */ (leaf.closest("[style*=color]"))?.style.color === color)) break;
    if (up.matches(".mord")) whole = up;
  }
  return whole;
}

/**
 * KaTeX hides what it draws from a screen reader, which is read the same as MathML. What can be pressed must not be
 * hidden: so all around it is, and not what holds it.
 * @param {HTMLElement} element
 */
function unveil(element) {
  for (let up = element; !up.matches(".katex"); up = /** @type {HTMLElement} */ (up.parentElement)) {
    for (const beside of up.parentElement?.children ?? []) {
      if (beside !== up && !beside.matches(".katex-mathml, :has(.md-symbol), .md-symbol")) set(beside, { "aria-hidden": "true" });
    }
    up.removeAttribute("aria-hidden");
  }
}
