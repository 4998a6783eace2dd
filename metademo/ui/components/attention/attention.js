/**
 * Where a transformer looks. Python (attention.py beside it) sends the shares for all places; which place, layer and head
 * is chosen here, or by pointing at the page's chart, which draws the lines.
 *
 * @typedef {import("./shares.js").Shares & {page: string, curve: string, assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is shown: data-ready, data-step, data-place.
 */

import { loadStyle, make, mount, say } from "../kernel/base.js";
import { shared } from "../kernel/shared.js";
import { mark } from "../kernel/stage.js";
import { bytes, decimal, placeOf, sharesAt, told, xOf } from "./shares.js";

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Attention(host));
}

class Attention {
  // From the first data on; the second half from when it is built.
  /** @type {Data} */ data;
  /** @type {Uint8Array} */ numbers;
  /** @type {Promise<void>} */ starting;
  /** @type {HTMLInputElement} */ range;
  /** @type {HTMLElement} */ value;
  /** @type {HTMLElement} */ sentence;
  /** @type {Choice} */ layer;
  /** @type {Choice} */ head;
  /** @type {import("../kernel/shared.js").Shared} */ shared;
  /** @type {() => void} */ unfollow;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.place = -1; // the middle, once it is known
  }

  /** @param {Component} component */
  update(component) {
    this.data = component.data;
    this.numbers = bytes(this.data.shares);
    if (this.place < 0) this.place = this.data.places >> 1;
    this.starting ??= loadStyle(component.root + this.data.assets.style).then(() => this.#build());
    if (this.range) this.#show();
  }

  #build() {
    const { data } = this;
    const title = make("p", { className: "md-panel-title" }, "Where it looks from the place you point at: its attention");
    this.layer = new Choice("Layer", numbered(data.layers), data.layers - 1, () => this.#show());
    this.head = new Choice("Head", ["mean", ...numbered(data.heads)], 0, () => this.#show());
    this.range = make("input", { type: "range", min: 0, max: data.places - 1, step: 1, "aria-label": "Place on the x axis" });
    this.range.addEventListener("input", () => this.#go(Number(this.range.value)));
    this.value = make("span", { className: "md-step", "aria-hidden": "true" });
    this.sentence = make("p", { className: "md-now", "aria-live": "polite" });
    const slider = make("div", { className: "md-scrub" }, make("div", { className: "md-track" }, this.range), this.value);
    this.host.replaceChildren(make("div", { className: "md-chart md-attention" },
      make("div", { className: "md-attention-head" }, title, this.layer.element, this.head.element), slider, this.sentence));
    this.host.style.minHeight = "";
    this.shared = shared(data.page);
    this.unfollow = this.shared.follow(({ step, place }) => {
      if (place !== undefined) this.place = placeOf(this.data, place);
      if (step !== undefined || place !== undefined) this.#show();
    });
    this.#show();
    mark(this.host, { ready: true });
  }

  /** @param {number} place */
  #go(place) {
    this.place = place;
    this.#show();
  }

  #show() {
    const { data, numbers, place } = this;
    const step = Math.min(Math.round(this.shared.values.step ?? data.points.length), data.points.length);
    const head = this.head.value ? this.head.value - 1 : null;
    const shares = sharesAt(data, numbers, { step, layer: this.layer.value, head, place });
    const x = xOf(data, place);
    this.range.value = String(place);
    this.range.setAttribute("aria-valuetext", `x = ${decimal(x)}`);
    this.range.closest(".md-scrub")?.setAttribute("style", `--md-share: ${place / (data.places - 1)}`);
    say(this.value, `x = ${decimal(x)}`);
    say(this.sentence, told(data, place, shares));
    this.shared.set({ looks: { curve: data.curve, x, shares: shares.slice(1) } });
    mark(this.host, { step, place });
  }

  destroy() {
    this.unfollow?.();
    this.shared?.set({ looks: null });
  }
}

/** One of several, as buttons. */
class Choice {
  /** @param {string} name  @param {string[]} labels  @param {number} value  @param {() => void} chosen */
  constructor(name, labels, value, chosen) {
    this.value = value;
    this.buttons = labels.map((label, i) => {
      const button = make("button", { type: "button", className: "md-toggle", "aria-label": `${name} ${label}` }, label);
      button.addEventListener("click", () => {
        this.#press(i);
        chosen();
      });
      return button;
    });
    this.element = make("div", { className: "md-attention-choice", role: "group", "aria-label": name }, make("span", {}, name), ...this.buttons);
    this.#press(value);
  }

  /** @param {number} value */
  #press(value) {
    this.value = value;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === value)));
  }
}

/** "1", "2", .. @param {number} count */
const numbered = (count) => Array.from({ length: count }, (_, i) => String(i + 1));
