/** The wave, the share of one unit, and the sum of the first so many shares: drawn as plain SVG. */

import { make, say, set, svg, uniqueId } from "../kernel/base.js";
import { DASHES } from "../kernel/formats.js";
import { exact, labels, niceUnit } from "../kernel/scales.js";
import { followSize, lineMark } from "../kernel/stage.js";
import { pathOf } from "./places.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {import("../kernel/plot.js").Curve} Curve
 * @typedef {import("../kernel/plot.js").Ticks} Ticks
 * @typedef {"truth" | "wave" | "total" | "share"} Name
 * @typedef {{[name in Name]: Curve} & {xRange: number[], yRange: number[], xTicks: ?Ticks, points: [number, number][]}} Look
 */

/** @type {Name[]} */
const NAMES = ["truth", "wave", "total", "share"]; // in the order of drawing
const HEIGHT = 260;
const EDGE = { left: 34, right: 10, top: 8, bottom: 24 };

export class SumChart {
  // From the first data on.
  /** @type {Look} */ look;
  /** @type {Theme} */ theme;
  /** @type {{[name in Name]: SVGElement}} */ paths;
  /** @type {{[name in Name]: Float64Array}} */ curves;

  constructor() {
    this.legend = make("div", { className: "md-legend" });
    this.svg = svg("svg", { height: HEIGHT, role: "img" });
    this.stage = make("div", { className: "md-sum-stage" }, this.svg);
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
    this.keys = Object.fromEntries(NAMES.map((name) => [name, make("span", {}, look[name].label)]));
    this.legend.replaceChildren(...NAMES.map((name) => make("span", { className: "md-key" }, lineMark(look[name], theme), this.keys?.[name] ?? "")));
    this.#draw();
  }

  /** @param {{[name in Name]: Float64Array}} curves */
  show(curves) {
    this.curves = curves;
    if (!this.paths) return;
    for (const name of NAMES) set(this.paths[name], { d: pathOf(curves[name], this.#x, this.#y) });
  }

  /** @param {{share: string, total: string}} names  in the legend  @param {string} label  of all of it, in words */
  name(names, label) {
    if (this.keys) {
      say(this.keys.share, names.share);
      say(this.keys.total, names.total);
    }
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
    const line = (/** @type {Name} */ name) => this.#line(look[name], theme);
    this.paths = { truth: line("truth"), wave: line("wave"), total: line("total"), share: line("share") };
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
      svg("g", { "clip-path": `url(#${clip})` }, ...NAMES.map((name) => this.paths[name]),
        ...look.points.map(([px, py]) => svg("circle", { class: "md-dot", cx: x(px), cy: this.#y(py), r: 5 }))),
    );
    if (this.curves) this.show(this.curves);
  }

  /** @param {Curve} curve  @param {Theme} theme */
  #line({ color, width, dash }, theme) {
    return svg("path", { class: "md-sum-line", stroke: theme.pick(color), "stroke-width": width, "stroke-dasharray": DASHES[dash] ?? "" });
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
