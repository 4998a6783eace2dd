/** Lines over an axis that is not the steps; some may move with the step, and dots say where each step is. */

import { make, set, svg } from "../kernel/base.js";
import { DASHES, pretty } from "../kernel/formats.js";
import { linearScale } from "../kernel/scales.js";
import { Figure } from "./figure.js";
import { between, decode } from "../kernel/rows.js";

/**
 * @typedef {import("../kernel/rows.js").Packed & {label: string, color: import("../kernel/base.js").Colors, dash: string, width: number}} LineData
 * @typedef {import("./figure.js").FigureData & {kind: "lines", x: number[], xName: string, xTicks: [number[], string[]],
 *   low: number, top: number, dots: number[][], lines: LineData[]}} LinesData
 */

const HEIGHT = 220;
const EDGE = { left: 36, right: 10, top: 8, bottom: 36 };

/** @extends {Figure<LinesData>} */
export class Lines extends Figure {
  // From the first data on.
  /** @type {Float64Array[][]} */ rows;
  /** @type {import("../kernel/scales.js").Scale} */ scale;
  /** @type {SVGElement[]} */ paths;
  /** @type {SVGElement} */ head;

  constructor() {
    super();
    this.keys = make("div", { className: "md-lines-keys" });
    this.stage.before(this.keys);
    set(this.svg, { height: HEIGHT });
  }

  take() { this.rows = this.data.lines.map(decode); }

  draw() {
    const { data, width } = this;
    set(this.svg, { width });
    this.scale = linearScale(data.low, data.top);
    this.keys.replaceChildren(...data.lines.map((line) => make("span", { className: "md-key" },
      svg("svg", { width: 26, height: 8, "aria-hidden": "true" }, this.#path(line, "M1,4H25")), line.label)));
    this.paths = data.lines.map((line) => this.#path(line, ""));
    this.head = svg("circle", { r: 5, class: "md-dot" });
    this.svg.replaceChildren(
      ...this.scale.ticks.flatMap((v) => [
        svg("path", { class: "md-grid", d: `M${EDGE.left},${this.#y(v)}H${width - EDGE.right}` }),
        svg("text", { x: EDGE.left - 7, y: this.#y(v) + 4, "text-anchor": "end" }, this.scale.name(v)),
      ]),
      ...data.xTicks[0].map((v, i) =>
        svg("text", { x: this.#x(v), y: HEIGHT - 20, "text-anchor": "middle" }, data.xTicks[1][i])),
      svg("text", { x: (EDGE.left + width - EDGE.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, data.xName),
      ...this.paths,
      ...data.dots.map(([x, y]) => svg("circle", { r: 3, class: "md-ghost", cx: this.#x(x), cy: this.#y(y) })),
      ...(data.dots.length ? [this.head] : []),
    );
    this.paths.forEach((path, i) => set(path, { d: this.#line(this.rows[i][0]) }));
  }

  move() {
    this.rows.forEach((rows, i) => {
      if (rows.length > 1) set(this.paths[i], { d: this.#line(between(rows, this.at)) });
    });
    if (!this.data.dots.length) return;
    const [x, y] = between(this.data.dots, this.at);
    set(this.head, { cx: this.#x(x), cy: this.#y(y) });
  }

  /** @param {number} step */
  described(step) {
    const { data } = this;
    const ends = data.lines.map((line, i) => {
      const row = this.rows[i][Math.min(step, this.rows[i].length - 1)];
      return `${line.label} from ${pretty(row[0])} over ${pretty(row[row.length >> 1])} to ${pretty(row[row.length - 1])}`;
    });
    const dot = data.dots[Math.min(step, data.dots.length - 1)];
    return `${ends.join("; ")}; over ${data.xName}${dot ? `; step ${step} at ${pretty(dot[0])}` : ""}`;
  }

  /** @param {LineData} line  @param {string} d */
  #path(line, d) {
    return svg("path", { class: "md-line", d, stroke: this.theme.pick(line.color),
      "stroke-width": line.width, "stroke-dasharray": DASHES[line.dash] ?? "" });
  }

  /** @param {ArrayLike<number>} values */
  #line(values) {
    const [low, high] = this.data.x;
    const last = values.length - 1;
    return "M" + Array.from(values, (v, i) =>
      `${this.#x(low + ((high - low) * i) / last).toFixed(1)},${this.#y(v).toFixed(1)}`).join("L");
  }

  /** @param {number} v */
  #x(v) {
    const [low, high] = this.data.x;
    return EDGE.left + ((v - low) / (high - low)) * (this.width - EDGE.left - EDGE.right);
  }

  /** @param {number} v */
  #y(v) { return EDGE.top + (1 - this.scale.share(v)) * (HEIGHT - EDGE.top - EDGE.bottom); }
}
