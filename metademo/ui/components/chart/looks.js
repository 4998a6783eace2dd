/** Lines from a place on a curve to the points that it was made of, each as strong as the point counts. */

import { set, svg } from "../kernel/base.js";

const WIDEST = 12; // pixels, for all of the attention
const LEAST = 0.02; // a share that is still drawn

/**
 * @typedef {{curve: string, x: number, shares: number[]}} LooksData  the curve's name, the place, and how much each point counts
 */

export class Looks {
  /** @param {import("../kernel/plot.js").Plot} plot */
  constructor(plot) {
    this.plot = plot;
    this.element = svg("svg", { class: "md-looks", "aria-hidden": "true" });
  }

  /**
   * @param {?LooksData | undefined} looks
   * @param {[number, number][]} points
   * @param {number} at  the step
   */
  show(looks, points, at) {
    this.element.replaceChildren();
    if (!looks || !this.plot.curves.some(({ name }) => name === looks.curve)) return;
    const { left, top, width, height } = this.plot.area;
    set(this.element, { style: `left: ${left}px; top: ${top}px`, width, height });
    const [x, y] = this.plot.toPixels(looks.x, this.plot.height(looks.curve, looks.x, at));
    looks.shares.forEach((share, i) => {
      if (share < LEAST || !points[i]) return;
      const [px, py] = this.plot.toPixels(...points[i]);
      this.element.append(svg("path", { d: `M${x},${y}L${px},${py}`, "stroke-width": Math.max(1, WIDEST * share), opacity: 0.35 + 0.5 * share }));
    });
    this.element.append(svg("path", { d: `M${x},0V${height}`, class: "md-looks-at" }), svg("circle", { cx: x, cy: y, r: 6 }));
  }
}
