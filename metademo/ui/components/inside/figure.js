/** What all pictures of the component have in common: a title, a place to draw in, and what there is to see. */

import { make, say, set, svg } from "../kernel/base.js";
import { followSize } from "../kernel/stage.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {{title: string, sees: string[]}} FigureData
 */

/**
 * @template {FigureData} Data
 */
export class Figure {
  // From the first data on.
  /** @type {Data} */ data;
  /** @type {Theme} */ theme;
  /** @type {string} */ key;

  constructor() {
    this.title = make("figcaption", { className: "md-panel-title" });
    this.svg = svg("svg", { role: "img" });
    this.stage = make("div", { className: "md-figure-stage" }, this.svg);
    this.sees = make("p", { className: "md-small" });
    this.element = make("figure", { className: "md-panel" }, this.title, this.stage, this.sees);
    this.at = 0;
    this.width = 0;
    this.observer = followSize(this.stage, (width) => {
      if (width === this.width) return;
      this.width = width;
      this.#draw();
    });
  }

  /** @param {Data} data  @param {Theme} theme */
  update(data, theme) {
    const key = JSON.stringify([data, theme.key]);
    if (key === this.key) return;
    Object.assign(this, { key, data, theme });
    say(this.title, data.title);
    this.take();
    this.#draw();
  }

  /** @param {number} at  a step, or between two */
  show(at) {
    this.at = at;
    if (!this.width || !this.data) return;
    const { sees } = this.data;
    say(this.sees, sees[Math.min(Math.round(at), sees.length - 1)] ?? "");
    this.move();
    set(this.svg, { "aria-label": `${this.data.title}: ${this.described(Math.round(at))}` });
  }

  #draw() {
    if (!this.width || !this.data) return;
    this.draw();
    this.show(this.at);
  }

  destroy() { this.observer.disconnect(); }

  /** New data have come. */
  take() {}

  /** Draw all anew, for the width there is. */
  draw() {}

  /** Draw what follows the scrubber. */
  move() {}

  /** What is seen at a step, in words. @param {number} step @returns {string} */
  described(step) { return ""; }
}
