/**
 * A probe task of signs: the examples at the top, and under them, for another drawing of each, how sure the network is
 * which of them it is. A bar is the probability after the inner steps; the line across it is the one before them.
 */

import { make, say, set } from "../kernel/base.js";
import { percent } from "../kernel/formats.js";
import { between, decode } from "../kernel/rows.js";
import { Seen } from "../kernel/seen.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {{images: string[][], curves: (import("../kernel/plot.js").Curve)[]}} SignsData  `images`: the examples, and
 *   what is asked; the two curves are the probabilities before and after, question by question
 */

export class SignBars {
  // From the first data on.
  /** @type {import("../kernel/plot.js").Curve[]} */ curves;

  constructor() {
    this.element = make("div", { className: "md-sign-bars" });
    this.key = "";
    /** @type {Bar[][]} */
    this.bars = [];
    /** @type {Float64Array[][]} */
    this.shares = [];
  }

  /** @param {SignsData} data  @param {Theme} theme */
  update({ images, curves }, theme) {
    const key = JSON.stringify([images, theme.key]);
    if (key !== this.key) this.#build(images, theme);
    this.key = key;
    set(this.element, { role: "img" });
    this.element.style.setProperty("--color", theme.pick(curves[1].color));
    this.shares = curves.map(decode);
    this.curves = curves;
  }

  /** @param {string[][]} images  @param {Theme} theme */
  #build([examples, asked], theme) {
    /** @param {string} image */
    const picture = (image) => {
      const seen = new Seen();
      seen.show(image, theme);
      return seen.element;
    };
    this.bars = asked.map((_, i) => examples.map((__, j) => new Bar(i === j)));
    this.element.style.setProperty("--signs", String(examples.length));
    this.element.replaceChildren(
      make("span", { className: "md-small" }, "is it?"),
      ...examples.map(picture),
      ...asked.flatMap((image, i) => [picture(image), ...this.bars[i].map((bar) => bar.element)]),
    );
  }

  /** @param {number} at  a snapshot, or between two */
  show(at) {
    const [before, after] = this.shares.map((rows) => between(rows, at));
    const flat = this.bars.flat();
    flat.forEach((bar, k) => bar.show(before[k], after[k]));
  }

  /** What its marks are, for a legend. @param {Theme} theme @returns {HTMLElement[]} */
  keys(theme) {
    const [before, { label, color }] = this.curves;
    /** @param {string} mark  @param {string} text  @param {boolean} [right] */
    const key = (mark, text, right = false) => make("span", { className: `md-key md-sign-mark${right ? " md-right" : ""}` },
      make("span", { className: "md-sign-key" }, make(/** @type {"i"} */ (mark), { style: mark === "i" ? "width: 100%" : "left: 50%" })),
      make("span", {}, text));
    const found = [key("i", `${label}: the right sign`, true), key("i", "another sign"), key("s", before.label)];
    found[0].style.setProperty("--color", theme.pick(color));
    return found;
  }

  /** How sure it is of the right ones, in words. @param {number} at */
  told(at) {
    const after = between(this.shares[1], Math.round(at));
    const right = this.bars.map((row, i) => after[i * row.length + i]);
    return `Three new signs; of a drawing of each the right one gets ${right.map(percent).join(", ")}`;
  }
}

class Bar {
  /** @param {boolean} right  whether it is the right one's */
  constructor(right) {
    this.fill = make("i");
    this.before = make("s");
    this.share = make("b");
    this.element = make("div", { className: `md-sign-bar${right ? " md-right" : ""}` }, make("span", {}, this.fill, this.before), this.share);
  }

  /** @param {number} before  @param {number} after */
  show(before, after) {
    this.fill.style.width = `${100 * after}%`;
    this.before.style.left = `${100 * before}%`;
    say(this.share, percent(after));
  }
}
