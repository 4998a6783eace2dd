/** The waves of a meta-batch, a small chart each, as plain SVG. */

import { make, say, set, svg } from "../kernel/base.js";
import { DASHES, clamp } from "../kernel/formats.js";
import { decode } from "../kernel/rows.js";
import { followSize } from "../kernel/stage.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {[x: number, y: number]} Point
 * @typedef {{color: import("../kernel/base.js").Colors, dash: string}} Look
 * @typedef {{name: string, truth: import("../kernel/plot.js").Curve, network: import("../kernel/plot.js").Curve, support: Point[],
 *   query: Point[], values: string[]}} Task  the rows of `network` are those after each inner step, and the one after the outer step
 * @typedef {{tasks: Task[], xRange: [number, number], yRange: [number, number], innerSteps: number, names: string[],
 *   looks: Record<string, Look>}} WavesData
 */

/** Which stage is which, of an outer step with so many inner ones. @param {number} steps */
export const stagesOf = (steps) => ({ query: steps + 1, back: steps + 2, directions: 2 * steps + 3, moved: 2 * steps + 4 });

export class Waves {
  constructor() {
    this.element = make("div", { className: "md-waves" });
    /** @type {Wave[]} */
    this.waves = [];
  }

  /** @param {WavesData} data  @param {Theme} theme */
  update(data, theme) {
    while (this.waves.length > data.tasks.length) this.waves.pop()?.destroy();
    while (this.waves.length < data.tasks.length) {
      const wave = new Wave(this.waves.length);
      this.waves.push(wave);
      this.element.append(wave.element);
    }
    this.waves.forEach((wave) => wave.update(data, theme));
  }

  /** @param {number} at  a stage, or between two */
  show(at) { this.waves.forEach((wave) => wave.show(at)); }

  /** Bring what has this name forward. @param {?string} name */
  light(name) { this.waves.forEach((wave) => wave.light(name)); }

  destroy() { this.waves.forEach((wave) => wave.destroy()); }
}

class Wave {
  // From the first data on.
  /** @type {WavesData} */ data;
  /** @type {Theme} */ theme;
  /** @type {Float64Array[]} */ rows;
  /** @type {SVGElement} */ before;
  /** @type {SVGElement} */ network;
  /** @type {SVGElement} */ bars;
  /** @type {SVGElement} */ dots;
  /** @type {SVGElement} */ rings;

  /** @param {number} index */
  constructor(index) {
    this.index = index;
    this.title = make("span", { className: "md-panel-title" });
    this.value = make("span", { className: "md-wave-value" });
    this.svg = svg("svg", { role: "img" });
    this.element = make("figure", { className: "md-wave" }, make("figcaption", {}, this.title, this.value), this.svg);
    this.at = this.width = this.height = 0;
    /** @type {?string} */
    this.front = null;
    this.observer = followSize(this.svg.parentElement ?? this.element, () => this.#measure());
  }

  destroy() {
    this.observer.disconnect();
    this.element.remove();
  }

  #measure() {
    const { width, height } = this.svg.getBoundingClientRect();
    [this.width, this.height] = [width, height];
    this.#draw();
  }

  /** @param {WavesData} data  @param {Theme} theme */
  update(data, theme) {
    Object.assign(this, { data, theme });
    this.rows = decode(data.tasks[this.index].network);
    this.#draw();
  }

  #draw() {
    const { data, theme, width, height } = this;
    if (!data || !width) return;
    const task = data.tasks[this.index];
    const { maml: own, truth } = data.looks;
    /** @param {Look} look  @param {Record<string, unknown>} more */
    const line = ({ color, dash }, more) => svg("path", {
      class: "md-line", stroke: theme.pick(color), "stroke-dasharray": DASHES[dash] ?? "", ...more,
    });
    say(this.title, `${this.index + 1}  ${task.name}`);
    this.before = line(own, { "stroke-width": 1.5, opacity: 0.4 });
    this.network = line(own, { "stroke-width": 3 });
    this.bars = svg("path", { class: "md-miss" });
    this.dots = svg("g", {}, ...task.support.map((point) => this.#mark(point, 4, "md-dot")));
    this.rings = svg("g", {}, this.bars, ...task.query.map((point) => this.#mark(point, 3.5, "md-query")));
    set(this.svg, { viewBox: `0 0 ${width} ${height}` });
    this.svg.replaceChildren(
      svg("path", { class: "md-grid", d: `M0,${this.y(0)}H${width}` }),
      line(truth, { "stroke-width": 1.5, d: this.#path(decode(task.truth)[0]) }),
      this.before, this.network, this.rings, this.dots,
    );
    this.show(this.at);
    this.light(this.front);
  }

  /** @param {number} value */
  x(value) {
    const [low, high] = this.data.xRange;
    return ((value - low) / (high - low)) * this.width;
  }

  /** @param {number} value */
  y(value) {
    const [low, high] = this.data.yRange;
    return ((high - value) / (high - low)) * this.height;
  }

  /** @param {Point} point  @param {number} r  @param {string} name */
  #mark([x, y], r, name) { return svg("circle", { cx: this.x(x), cy: this.y(y), r, class: name }); }

  /** @param {ArrayLike<number>} heights */
  #path(heights) {
    const last = heights.length - 1;
    return Array.from(heights, (v, i) => `${i ? "L" : "M"}${((i / last) * this.width).toFixed(1)},${this.y(v).toFixed(1)}`).join("");
  }

  /** @param {number} at */
  show(at) {
    this.at = at;
    if (!this.network) return;
    const { innerSteps, tasks, names } = this.data;
    const { moved } = stagesOf(innerSteps);
    const place = Math.min(at, innerSteps) + clamp(at - moved + 1, 0, 1);
    const heights = between(this.rows, place);
    const stage = Math.round(at);
    set(this.network, { d: this.#path(heights) });
    set(this.before, { d: this.#path(this.rows[stage === moved ? innerSteps : 0]) });
    set(this.bars, { d: this.#misses(heights) });
    const value = tasks[this.index].values[stage];
    say(this.value, value);
    set(this.svg, { "aria-label": `Wave ${this.index + 1}, ${tasks[this.index].name}, ${names[stage]}: ${value}` });
    this.#face();
  }

  /** From each query point to the curve. @param {ArrayLike<number>} heights */
  #misses(heights) {
    const [low, high] = this.data.xRange;
    return this.data.tasks[this.index].query.map(([x, y]) => {
      const place = ((x - low) / (high - low)) * (heights.length - 1);
      const k = Math.min(Math.floor(place), heights.length - 2);
      const height = heights[k] + (place - k) * (heights[k + 1] - heights[k]);
      return `M${this.x(x)},${this.y(y)}V${this.y(height)}`;
    }).join("");
  }

  /** @param {?string} name */
  light(name) {
    this.front = name;
    this.#face();
  }

  #face() {
    if (!this.rings) return;
    const { front } = this;
    const known = front === "query" || front === "support" || front === "theta";
    /** @param {Element} element  @param {boolean} shown  @param {string} name */
    const face = (element, shown, name) => set(element, {
      visibility: shown || front === name ? "visible" : "hidden", opacity: known && front !== name ? 0.2 : 1,
    });
    face(this.rings, Math.round(this.at) >= stagesOf(this.data.innerSteps).query, "query");
    face(this.dots, true, "support");
    face(this.network, true, "theta");
  }
}

/** The row at a place, or what lies between two. @param {Float64Array[]} rows  @param {number} at */
function between(rows, at) {
  const k = Math.min(Math.floor(at), rows.length - 1);
  const part = at - k;
  if (part <= 0 || k === rows.length - 1) return rows[k];
  return rows[k].map((v, i) => v + part * (rows[k + 1][i] - v));
}
