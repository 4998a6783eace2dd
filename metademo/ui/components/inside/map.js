/** A loss on a plane among the weights, as a heat map with contours, and a walk on it. */

import { make, rgb, set, svg } from "../kernel/base.js";
import { pretty } from "../kernel/formats.js";
import { errorText, niceUnit } from "../kernel/scales.js";
import { contour, levels } from "./contours.js";
import { Figure } from "./figure.js";
import { between, decode } from "../kernel/rows.js";

/**
 * @typedef {import("./figure.js").FigureData & import("../kernel/rows.js").Packed & {kind: "map", least: number, greatest: number,
 *   reach: number, steps: number[][], losses: (?number)[], lost: number[], color: import("../kernel/base.js").Colors}} MapData
 */

const TALLEST = 340;
const FAR_OFF = 0.1; // a step with more than this share of its way off the plane is marked so
const LABEL = { width: 30, height: 12 };
/** Where a label may stand beside its step, the first that is free. */
const PLACES = [[9, 4], [-39, 4], [-15, -9], [-15, 19], [9, -9], [9, 17], [-39, -9], [-39, 17]];

/** @extends {Figure<MapData>} */
export class PlaneMap extends Figure {
  // From the first data on.
  /** @type {Float64Array[]} */ rows;
  /** @type {number[]} */ heights; // of all rows, one after the other
  /** @type {number} */ size;
  /** @type {SVGElement} */ head;
  /** @type {SVGElement[]} */ labels;

  constructor() {
    super();
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.stage.classList.add("md-map");
    this.svg.before(this.canvas);
    this.bar = make("div", { className: "md-map-bar", "aria-hidden": "true" });
    this.stage.after(this.bar);
  }

  take() {
    this.rows = decode(this.data);
    this.heights = this.rows.flatMap((row) => Array.from(row));
  }

  draw() {
    const { data } = this;
    this.size = Math.min(this.width, TALLEST);
    this.stage.style.setProperty("--md-side", `${this.size}px`);
    set(this.svg, { width: this.size, height: this.size });
    this.#paint();
    this.head = svg("circle", { r: 6, class: "md-dot" });
    this.labels = this.#labels();
    const path = `M${data.steps.map(([x, y]) => `${this.#x(x).toFixed(1)},${this.#y(y).toFixed(1)}`).join("L")}`;
    this.svg.replaceChildren(
      ...levels(data.least, data.greatest).map((level) => svg("path", { class: "md-contour", d: this.#contour(level) })),
      svg("path", { class: "md-walk-ground", d: path }),
      svg("path", { class: "md-walk", d: path }),
      ...data.steps.map(([x, y], k) => svg("circle", {
        r: 3.5, cx: this.#x(x), cy: this.#y(y), class: data.lost[k] > FAR_OFF ? "md-step-off" : "md-step-on",
      })),
      ...this.#ruler(),
      ...this.labels,
      this.head,
    );
    this.#legend();
  }

  move() {
    const { data } = this;
    const [x, y] = between(data.steps, this.at);
    const step = Math.round(this.at);
    set(this.head, { cx: this.#x(x), cy: this.#y(y), class: data.lost[step] > FAR_OFF ? "md-dot md-off" : "md-dot" });
    const [front] = this.labels.filter((label) => label.dataset.step === String(step));
    for (const label of this.labels) {
      label.classList.toggle("md-front", label === front);
      const hidden = label !== front && (label.dataset.tight || (front && overlap(label, front)));
      label.style.display = hidden ? "none" : "";
    }
  }

  /** @param {number} step */
  described(step) {
    const { data } = this;
    const k = Math.min(step, data.steps.length - 1);
    const [x, y] = data.steps[k];
    return `from ${pretty(data.least)} to ${pretty(data.greatest)}, ${pretty(data.reach)} in weights to each side; `
      + `step ${k} at ${pretty(x)}, ${pretty(y)}, with the loss ${errorText(data.losses[k])}`
      + `, ${Math.round(100 * data.lost[k])} % of its way off this plane`;
  }

  /** The colour of each place: the less, the more of the colour. */
  #paint() {
    const { data, theme, rows } = this;
    const side = rows.length;
    const [colour, paper] = [rgb(theme.pick(data.color)), rgb(theme.background)];
    const [low, high] = [Math.log(data.least), Math.log(data.greatest)];
    Object.assign(this.canvas, { width: side, height: side });
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const image = pen.createImageData(side, side);
    rows.forEach((row, j) => row.forEach((value, i) => {
      const share = 0.04 + 0.88 * (1 - (value - low) / (high - low));
      const at = 4 * ((side - 1 - j) * side + i);
      for (let c = 0; c < 3; c += 1) image.data[at + c] = paper[c] + share * (colour[c] - paper[c]);
      image.data[at + 3] = 255;
    }));
    pen.putImageData(image, 0, 0);
  }

  /** @param {number} level */
  #contour(level) {
    const side = this.rows.length;
    const cell = this.size / side; // a value is the colour of a cell, and is in its middle
    return contour(this.heights, side, Math.log(level)).map((ends) =>
      `M${ends.map(([x, y]) => `${((x + 0.5) * cell).toFixed(1)},${(this.size - (y + 0.5) * cell).toFixed(1)}`).join("L")}`).join("");
  }

  /** The loss of each step at it; where there is no room for it, it shows only when it is its turn. */
  #labels() {
    const { data } = this;
    const dots = data.steps.map(([x, y]) => [this.#x(x), this.#y(y)]);
    /** @type {number[][]} */
    const taken = [];
    const order = [0, ...data.steps.keys()].filter((k, i) => i === 0 || k > 0);
    return order.map((k) => {
      const free = PLACES.map(([dx, dy]) => [dots[k][0] + dx, dots[k][1] + dy]).find((place) => this.#free(place, taken, dots));
      const [x, y] = free ?? [dots[k][0] + PLACES[0][0], dots[k][1] + PLACES[0][1]];
      if (free) taken.push(free);
      const label = svg("text", { x, y, class: "md-walk-label" }, errorText(data.losses[k]));
      label.dataset.step = String(k);
      if (!free) label.dataset.tight = "true";
      return label;
    });
  }

  /** @param {number[]} place  @param {number[][]} taken  @param {number[][]} dots */
  #free([x, y], taken, dots) {
    const inside = x > 2 && x + LABEL.width < this.size - 2 && y - LABEL.height > 2 && y < this.size - 18;
    return inside && taken.every(([a, b]) => Math.abs(a - x) > LABEL.width || Math.abs(b - y) > LABEL.height)
      && dots.every(([a, b]) => a < x - 4 || a > x + LABEL.width || b < y - LABEL.height - 3 || b > y + 5);
  }

  /** How long something is in this picture: both axes are of one scale. */
  #ruler() {
    const length = niceUnit(this.data.reach / 4);
    const px = (length / (2 * this.data.reach)) * this.size;
    const y = this.size - 8;
    return [
      svg("path", { class: "md-ruler", d: `M8,${y - 4}V${y}H${8 + px}V${y - 4}` }),
      svg("text", { x: 14 + px, y, class: "md-ruler-name" }, `${pretty(length)} in weights`),
    ];
  }

  #legend() {
    const { data, theme } = this;
    const [colour, paper] = [theme.pick(data.color), theme.background];
    const mix = (/** @type {number} */ share) => `color-mix(in srgb, ${colour} ${100 * share}%, ${paper})`;
    const bar = make("i", {});
    bar.style.background = `linear-gradient(to right in srgb, ${mix(0.92)}, ${mix(0.04)})`;
    this.bar.replaceChildren(errorText(data.least), bar, errorText(data.greatest));
  }

  /** @param {number} v */
  #x(v) { return this.#place(v); }

  /** @param {number} v */
  #y(v) { return this.size - this.#place(v); }

  /** The first and the last value are in the middle of the cells at the edges. @param {number} v */
  #place(v) {
    const side = this.rows.length;
    return ((0.5 + ((v / this.data.reach + 1) / 2) * (side - 1)) / side) * this.size;
  }
}

/** Whether two labels would be written over each other. @param {SVGElement} one  @param {SVGElement} other */
function overlap(one, other) {
  const away = (/** @type {string} */ axis) => Math.abs(Number(one.getAttribute(axis)) - Number(other.getAttribute(axis)));
  return away("x") < LABEL.width && away("y") < LABEL.height;
}
