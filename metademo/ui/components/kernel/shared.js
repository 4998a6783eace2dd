/**
 * What the components of a page have in common while each is drawn by a fragment of its own: where the scrubber
 * stands, which curve is brought forward, when the hand came to rest. All modules of a page are loaded once, so this is one place.
 *
 * @typedef {{step?: number, name?: ?string, pinned?: ?string, rested?: number, address?: string, aside?: string, shows?: string, at?: string,
 *   stands?: string, place?: number, looks?: ?import("../chart/looks.js").LooksData}} Values
 *   `step` of the scrubber (between two steps while it plays); `name` (label) of the curve that is brought forward, or
 *   null, and `pinned` whether it stays there; `rested` is the last gesture after which the hand at the chart came to rest; `address` is the
 *   query of a link to the view and `shows` what that is in words, `aside`
 *   what stands in this visitor's address and in no link; `at` is where the scrubber stands in that link, empty at
 *   its end, and `stands` that in words; `place` is the x that the pointer at the chart is at, and `looks` what counts there
 */

export class Shared {
  constructor() {
    /** @type {Values & Record<string, unknown>} */
    this.values = {};
    /** @type {Set<(news: Values) => void>} */
    this.listeners = new Set();
    /** @type {?string} */
    this.hovered = null;
    /** @type {?string} */
    this.pinned = null;
  }

  /** Change some values and tell everyone, if they differ at all. @param {Values} values */
  set(values) {
    const news = Object.fromEntries(Object.entries(values).filter(([name, value]) => this.values[name] !== value));
    if (!Object.keys(news).length) return;
    Object.assign(this.values, news);
    for (const listener of [...this.listeners]) listener(news);
  }

  /**
   * @param {(news: Values) => void} listener  told at once of what is known, then of every change
   * @returns {() => void} ends it
   */
  follow(listener) {
    this.listeners.add(listener);
    listener({ ...this.values });
    return () => this.listeners.delete(listener);
  }

  /** Bring a name forward while the pointer or the focus is on it; null ends that. @param {?string} name */
  hover(name) {
    this.hovered = name;
    this.#bring();
  }

  /** Keep a name in front until it is chosen again. @param {string} name */
  pin(name) {
    this.pinned = this.pinned === name ? null : name;
    this.#bring();
  }

  #bring() { this.set({ name: this.hovered ?? this.pinned, pinned: this.pinned }); }
}

/** @type {Map<string, Shared>} */
const all = new Map();

/**
 * @param {string} key  of the page, or of a chart that is alone
 * @returns {Shared}
 */
export function shared(key) {
  const known = all.get(key) ?? new Shared();
  all.set(key, known);
  return known;
}

/**
 * Make a button bring its name forward: by pointing at `area`, by focus, and for good by a click.
 * @param {HTMLElement} button
 * @param {HTMLElement} area
 * @param {Shared} place
 * @param {string} name
 */
export function bringsForward(button, area, place, name) {
  const on = () => place.hover(name);
  const off = () => { if (!button.matches(":focus-visible")) place.hover(null); };
  area.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") on(); });
  area.addEventListener("pointerleave", off);
  button.addEventListener("focus", () => { if (button.matches(":focus-visible")) on(); });
  button.addEventListener("blur", () => place.hover(null));
  button.addEventListener("click", () => place.pin(name));
}

/**
 * Which of some names fade. None do if the one in front is not among them.
 * @param {?string} front
 * @param {string[]} names
 * @returns {boolean[]}
 */
export function faded(front, names) {
  return names.map((name) => front !== null && names.includes(front) && name !== front);
}

/**
 * Fade marks that stand for other names than the one in front: lists of marks, each in the order of the names.
 * @param {?string} front
 * @param {string[]} names
 * @param {Element[][]} lists
 */
export function fade(front, names, lists) {
  faded(front, names).forEach((back, i) => {
    for (const marks of lists) marks[i].classList.toggle("md-faded", back);
  });
}
