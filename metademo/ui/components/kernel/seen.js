/** What a network sees of a drawing: a few pixels, as it gets them. */

import { make } from "./base.js";

const SIDE = 14;

export class Seen {
  /** @param {string} caption  "" for none: what it is has been said then */
  constructor(caption = "") {
    this.canvas = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    this.element = make("figure", { className: "md-seen" }, this.canvas, ...(caption ? [make("figcaption", {}, caption)] : []));
    this.key = "";
  }

  /** @param {string} image  a byte for each pixel, or none for nothing  @param {import("./base.js").Theme} theme */
  show(image, theme) {
    const key = image + theme.key;
    if (key === this.key) return;
    this.key = key;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    pen.clearRect(0, 0, SIDE, SIDE);
    Array.from(atob(image), (c) => c.charCodeAt(0)).forEach((ink, k) => {
      pen.fillStyle = theme.ink(ink / 255);
      pen.fillRect(k % SIDE, Math.floor(k / SIDE), 1, 1);
    });
  }
}
