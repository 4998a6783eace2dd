/** A few curves over x whose heights the browser makes itself, with points, drawn as plain SVG. */

import { make, say, set, svg, uniqueId } from "./base.js";
import { DASHES } from "./formats.js";
import { pathOf } from "./paths.js";
import { exact, labels, niceUnit } from "./scales.js";
import { followSize, lineMark } from "./stage.js";

/**
 * @typedef {import("./base.js").Theme} Theme
 * @typedef {import("./plot.js").Curve} Curve
 * @typedef {import("./plot.js").Ticks} Ticks
 * @typedef {{curves: Curve[], xRange: number[], yRange: number[], xTicks: ?Ticks, points: [number, number][]}} Look
 *   the curves in the order of drawing; of each only its look counts
 */

const HEIGHT = 260;
const EDGE = { left: 34, right: 10, top: 8, bottom: 24 };

export class WaveChart {
  // From the first data on.
  /** @type {Look} */ look;
  /** @type {Theme} */ theme;
  /** @type {HTMLElement[]} */ keys;
  /** @type {SVGElement[]} */ paths;
  /** @type {Float64Array[]} */ lines;

  constructor() {
    this.legend = make("div", { className: "md-legend" });
    this.svg = svg("svg", { height: HEIGHT, role: "img" });
    this.stage = make("div", { className: "md-wave-stage" }, this.svg);
    this.element = make("div", {}, this.legend, this.stage);
    this.width = 0;
    this.observer = followSize(this.stage, (width) => {
      this.width = width;
      this.#draw();
    });
  }

  /** @param {Look} look  @param {Theme} theme */
  update(look, theme) {
    Object.assign(this, { look, theme });
    this.keys = look.curves.map(({ label }) => make("span", {}, label));
    this.legend.replaceChildren(...look.curves.map((curve, i) => make("span", { className: "md-key" }, lineMark(curve, theme), this.keys[i])));
    this.#draw();
  }

  /** The heights of each curve. @param {Float64Array[]} lines */
  show(lines) {
    this.lines = lines;
    if (!this.paths) return;
    lines.forEach((line, i) => set(this.paths[i], { d: pathOf(line, this.#x, this.#y) }));
  }

  /** @param {string} label  of all of it, in words  @param {(?string)[]} names  other ones for the legend, in the curves' order */
  name(label, names = []) {
    names.forEach((name, i) => { if (name) say(this.keys[i], name); });
    set(this.svg, { "aria-label": label });
  }

  #draw() {
    if (!this.look || !this.width) return;
    const { look, theme, width } = this;
    const clip = uniqueId("md-clip");
    const [low, high] = look.yRange;
    const [heights, marks] = evenTicks(low, high);
    const [left, right] = look.xRange;
    const [places, names] = look.xTicks ?? evenTicks(left, right);
    const x = (/** @type {number} */ v) => this.#x((v - left) / (right - left));
    const every = places.length * 44 > width ? 2 : 1; // every second label where they would crowd
    const zero = Math.max(0, places.findIndex((v) => Math.abs(v) < 1e-9));
    this.paths = look.curves.map((curve) => this.#line(curve, theme));
    set(this.svg, { width });
    this.svg.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", {
        x: EDGE.left, y: EDGE.top, width: Math.max(0, width - EDGE.left - EDGE.right), height: HEIGHT - EDGE.top - EDGE.bottom,
      })),
      ...heights.flatMap((v, i) => [
        svg("path", { class: "md-grid", d: `M${EDGE.left},${this.#y(v)}H${width - EDGE.right}` }),
        svg("text", { x: EDGE.left - 7, y: this.#y(v) + 4, "text-anchor": "end" }, marks[i]),
      ]),
      ...places.map((v) => svg("path", { class: "md-grid", d: `M${x(v)},${EDGE.top}V${HEIGHT - EDGE.bottom}` })),
      ...places.map((v, i) => svg("text", { x: x(v), y: HEIGHT - 6, "text-anchor": "middle" }, (i - zero) % every ? "" : names[i])),
      svg("g", { "clip-path": `url(#${clip})` }, ...this.paths,
        ...look.points.map(([px, py]) => svg("circle", { class: "md-dot", cx: x(px), cy: this.#y(py), r: 5 }))),
    );
    if (this.lines) this.show(this.lines);
  }

  /** @param {Curve} curve  @param {Theme} theme */
  #line({ color, width, dash }, theme) {
    return svg("path", { class: "md-wave-line", stroke: theme.pick(color), "stroke-width": width, "stroke-dasharray": DASHES[dash] ?? "" });
  }

  /** @param {number} share */
  #x = (share) => EDGE.left + share * (this.width - EDGE.left - EDGE.right);

  /** @param {number} value */
  #y = (value) => {
    const [low, high] = this.look.yRange;
    return EDGE.top + ((high - value) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  };

  destroy() { this.observer.disconnect(); }
}

/** Some six ticks at round numbers within a range. @type {(low: number, high: number) => Ticks} */
function evenTicks(low, high) {
  const unit = niceUnit((high - low) / 6);
  const first = Math.ceil(low / unit);
  const ticks = Array.from({ length: Math.floor(high / unit) - first + 1 }, (_, i) => exact((first + i) * unit));
  return [ticks, ticks.map(labels(ticks))];
}
