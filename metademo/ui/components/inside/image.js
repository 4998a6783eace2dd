/** Many rows of numbers as an image: what hidden units do over a range of inputs. A row says what it is when it is asked. */

import { make, say, set, svg } from "../kernel/base.js";
import { clamp } from "../kernel/formats.js";
import { Figure } from "./figure.js";
import { decode } from "../kernel/rows.js";

/**
 * @typedef {import("./figure.js").FigureData & import("../kernel/rows.js").Packed & {kind: "image",
 *   groups: {name: string, abouts: string[]}[], x: number[], xName: string, xTicks: [number[], string[]], at: number,
 *   color: import("../kernel/base.js").Colors}} ImageData
 */

const ROW = 4; // pixels
const GAP = 8;
const EDGE = { left: 30, right: 10, top: 4, bottom: 36 };

/** @extends {Figure<ImageData>} */
export class Image extends Figure {
  // From the first data on.
  /** @type {Float64Array[]} */ rows;
  /** @type {string[]} */ abouts;
  /** @type {number[]} */ tops;
  /** @type {SVGElement} */ chosen;
  /** @type {number} */ painted;
  /** @type {number} */ height;

  constructor() {
    super();
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.stage.classList.add("md-image");
    this.svg.before(this.canvas);
    this.hands = make("div", { className: "md-image-hands", tabIndex: 0, role: "slider", "aria-valuemin": 0 });
    this.stage.append(this.hands);
    this.row = 0;
    this.hands.addEventListener("pointermove", (event) => this.#point(event));
    this.hands.addEventListener("pointerdown", (event) => this.#point(event));
    this.hands.addEventListener("keydown", (event) => this.#key(event));
    this.told = make("p", { className: "md-small md-told" });
    this.sees.before(this.told);
  }

  take() {
    this.rows = decode(this.data);
    this.abouts = this.data.groups.flatMap(({ abouts }) => abouts);
    let top = EDGE.top;
    this.tops = this.data.groups.flatMap(({ abouts }) => {
      const tops = abouts.map((_, i) => top + ROW * i);
      top += ROW * abouts.length + GAP;
      return tops;
    });
    this.row = Math.min(this.row, this.abouts.length - 1);
    this.height = top - GAP + EDGE.bottom;
  }

  draw() {
    const { data, width } = this;
    const inner = width - EDGE.left - EDGE.right;
    set(this.svg, { width, height: this.height });
    this.stage.style.height = `${this.height}px`;
    Object.assign(this.canvas.style, {
      left: `${EDGE.left}px`, top: `${EDGE.top}px`, width: `${inner}px`, height: `${this.height - EDGE.top - EDGE.bottom}px`,
    });
    this.chosen = svg("path", { class: "md-row-chosen" });
    let first = 0;
    const names = data.groups.map(({ name, abouts }) => {
      const middle = (this.tops[first] + this.tops[first + abouts.length - 1] + ROW) / 2;
      first += abouts.length;
      return svg("text", { x: EDGE.left - 6, y: middle + 4, "text-anchor": "end" }, name);
    });
    this.svg.replaceChildren(
      ...names,
      ...data.xTicks[0].map((v, i) =>
        svg("text", { x: this.#x(v), y: this.height - 20, "text-anchor": "middle" }, data.xTicks[1][i])),
      svg("text", { x: EDGE.left + inner / 2, y: this.height - 4, "text-anchor": "middle" }, data.xName),
      svg("path", { class: "md-image-at", d: `M${this.#x(data.at)},${EDGE.top}V${this.height - EDGE.bottom}` }),
      this.chosen,
    );
    set(this.hands, { "aria-valuemax": this.abouts.length - 1, "aria-label": `${data.title}: row` });
    this.painted = NaN;
    this.#choose(this.row);
  }

  move() {
    const step = Math.round(this.at);
    if (step === this.painted) return;
    this.painted = step;
    this.#paint(step);
  }

  described() {
    const { data } = this;
    return `${data.groups.map(({ name, abouts }) => `${abouts.length} rows of ${name}`).join(", ")}, over ${data.xName}`;
  }

  /** @param {number} step */
  #paint(step) {
    const { data, theme, rows, tops } = this;
    const count = tops.length;
    const start = Math.min(step * count, rows.length - count);
    const side = rows[0].length;
    const height = (tops.at(-1) ?? 0) + ROW - EDGE.top;
    Object.assign(this.canvas, { width: side, height });
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    tops.forEach((top, r) => rows[start + r].forEach((value, i) => {
      pen.globalAlpha = clamp(Math.abs(value), 0, 1);
      pen.fillStyle = value < 0 ? theme.text : theme.pick(data.color);
      pen.fillRect(i, top - EDGE.top, 1, ROW - 0.5);
    }));
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const y = event.clientY - this.hands.getBoundingClientRect().top;
    const nearest = this.tops.reduce((best, top, r) =>
      (Math.abs(top + ROW / 2 - y) < Math.abs(this.tops[best] + ROW / 2 - y) ? r : best), 0);
    this.#choose(nearest);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1, PageDown: 8, PageUp: -8 };
    const ends = { Home: 0, End: this.abouts.length - 1 };
    const key = event.key;
    if (!(key in moves) && !(key in ends)) return;
    event.preventDefault();
    const next = key in ends ? ends[/** @type {"Home"} */ (key)] : this.row + moves[/** @type {"ArrowUp"} */ (key)];
    this.#choose(clamp(next, 0, this.abouts.length - 1));
  }

  /** @param {number} row */
  #choose(row) {
    this.row = row;
    const [y, right] = [this.tops[row], this.width - EDGE.right];
    set(this.chosen, { d: `M${EDGE.left - 1},${y - 1}H${right + 1}V${y + ROW}H${EDGE.left - 1}Z` });
    set(this.hands, { "aria-valuenow": row, "aria-valuetext": this.abouts[row] });
    say(this.told, this.abouts[row]);
  }

  /** @param {number} v */
  #x(v) {
    const [low, high] = this.data.x;
    return EDGE.left + ((v - low) / (high - low)) * (this.width - EDGE.left - EDGE.right);
  }
}
