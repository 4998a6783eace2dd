/**
 * Errors, or shares, against an attribute of the tasks, inside and outside of what was trained on. Plain SVG. Where a value
 * is null the learner has nothing to learn from.
 */

import { make, say, set, svg, valueOf } from "../kernel/base.js";
import { DASHES, percent } from "../kernel/formats.js";
import { explained } from "../kernel/explain.js";
import { errorText, exact, linearScale, logScale } from "../kernel/scales.js";
import { fade } from "../kernel/shared.js";
import { followSize } from "../kernel/stage.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {import("../kernel/base.js").Series & {values: (?number)[][]}} Series  a row of values per step
 * @typedef {{title: string, note: string, about: string, shares: boolean, values: number[], names: string[], trained: [number, number][],
 *   here: number, series: Series[]}} SweepData
 */

const HEIGHT = 210;
const EDGE = { left: 44, right: 14, top: 10, bottom: 24 };

export class Sweep {
  // From the first data on.
  /** @type {SweepData} */ data;
  /** @type {Theme} */ theme;
  /** @type {string} */ key;
  /** @type {import("../kernel/scales.js").Scale} */ scale;
  /** @type {(value: number) => number} */ x;
  /** @type {SVGElement[]} */ lines;

  constructor() {
    this.title = make("span", { className: "md-panel-title" });
    this.values = make("span", { className: "md-panel-values" });
    this.note = make("p", { className: "md-small" });
    this.svg = svg("svg", { height: HEIGHT, role: "img" });
    this.element = make("figure", { className: "md-panel md-sweep" },
      make("figcaption", {}, this.title, this.values), this.svg, this.note);
    this.at = 0;
    /** @type {?string} */
    this.front = null;
    this.width = 0;
    this.observer = followSize(this.element, (width) => {
      this.width = width;
      this.draw();
    });
  }

  destroy() { this.observer.disconnect(); }

  /** @param {?SweepData} data  @param {Theme} theme */
  update(data, theme) {
    this.element.hidden = !data;
    const key = JSON.stringify([data, theme.key]);
    if (!data || key === this.key) return;
    Object.assign(this, { key, data, theme });
    say(this.title, data.title);
    say(this.note, data.note);
    this.values.replaceChildren(...data.series.map((series) => valueOf(series, theme, true)));
    this.values.classList.toggle("md-many", data.series.length > 4);
    this.draw();
  }

  draw() {
    if (!this.data || !this.width) return;
    const { data, theme, width } = this;
    const numbers = data.series.flatMap((s) => s.values.flat());
    this.scale = data.shares ? { ...linearScale(0, 1), name: percent } : logScale(numbers);
    const inner = width - EDGE.left - EDGE.right;
    const [low, high] = [Math.min(...data.values), Math.max(...data.values)];
    /** @param {number} v */
    const x = (v) => EDGE.left + ((v - low) / (high - low || 1)) * inner;
    const half = data.names.length ? inner / (2 * (data.values.length - 1)) : 3;
    /** @param {number} px */
    const edge = (px) => Math.min(Math.max(px, EDGE.left - 6), width - EDGE.right + 6);
    const trained = data.trained.map(([from, to]) => [edge(x(from) - half), edge(x(to) + half)]);
    this.x = x;
    set(this.svg, { width });
    this.lines = data.series.map((s) => svg("path", {
      class: "md-line", stroke: theme.pick(s.color), "stroke-dasharray": DASHES[s.dash] ?? "",
    }));
    const bottom = HEIGHT - EDGE.bottom;
    this.svg.replaceChildren(
      ...trained.map(([from, to]) =>
        svg("rect", { class: "md-trained", x: from, y: EDGE.top, width: to - from, height: bottom - EDGE.top })),
      ...this.scale.ticks.flatMap((v) => [
        svg("path", { class: "md-grid", d: `M${EDGE.left},${this.#y(v)}H${width - EDGE.right}` }),
        svg("text", { x: EDGE.left - 7, y: this.#y(v) + 4, "text-anchor": "end" }, this.scale.name(v)),
      ]),
      ...ticks(data, width).map(([v, text]) => svg("text", { x: x(v), y: HEIGHT - 6, "text-anchor": "middle" }, text)),
      svg("path", { class: "md-cursor", d: `M${x(data.here)},${EDGE.top}V${bottom}` }),
      ...this.lines,
    );
    this.show(this.at);
    this.highlight(this.front);
  }

  /** Bring the line of this name (label) forward; null brings all back. @param {?string} name */
  highlight(name) {
    this.front = name;
    if (!this.lines) return;
    fade(name, this.data.series.map((s) => s.label), [this.lines, [...this.values.children]]);
  }

  /** @param {number} at */
  show(at) {
    this.at = at;
    if (!this.lines) return;
    const step = Math.round(at);
    const { data } = this;
    const nearest = data.values.reduce((best, v, i) => (
      Math.abs(v - data.here) < Math.abs(data.values[best] - data.here) ? i : best), 0);
    data.series.forEach((series, i) => {
      const row = series.values[Math.min(step, series.values.length - 1)];
      this.lines[i].setAttribute("d", this.#path(row));
      const number = /** @type {HTMLElement} */ (this.values.children[i].lastChild);
      const shown = this.#text(row[nearest]);
      say(number, shown);
      explained(number, row[nearest] === null ? "" : `${shown} = ${this.data.about}`);
    });
    const lines = data.series.map(({ label, values }) => {
      const row = values[Math.min(step, values.length - 1)];
      return `${label} from ${this.#text(row[0])} to ${this.#text(row[row.length - 1])}`;
    });
    set(this.svg, { "aria-label": `${data.title}, after ${step} steps: ${lines.join("; ")}` });
  }

  /** A value in words; where there is nothing to learn from it is a dash. @param {?number} value */
  #text(value) {
    if (value === null) return "–";
    return this.data.shares ? percent(value) : errorText(value);
  }

  /** @param {number} value */
  #y(value) {
    return EDGE.top + (1 - this.scale.share(value)) * (HEIGHT - EDGE.top - EDGE.bottom);
  }

  /** @param {(?number)[]} row */
  #path(row) {
    let pen = "M";
    let d = "";
    row.forEach((value, i) => {
      if (value === null) { pen = "M"; return; }
      d += `${pen}${this.x(this.data.values[i]).toFixed(1)},${this.#y(value).toFixed(1)}`;
      pen = "L";
    });
    return d;
  }
}

/**
 * Values to write under the axis, as many as there is room for.
 * @param {SweepData} data
 * @param {number} width
 * @returns {[value: number, text: string][]}
 */
function ticks({ values, names }, width) {
  if (names.length) return values.map((v, i) => [v, names[i]]);
  const every = Math.max(1, Math.ceil((values.length * 46) / width));
  return values.flatMap((v, i) => (i % every ? [] : [[v, String(exact(v)).replace("-", "−")]]));
}
