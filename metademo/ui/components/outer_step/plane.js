/**
 * The space of weights in a plane through theta_0: the inner loops, the gradients on their way back, and the directions
 * of three algorithms. Plain SVG, as far to the right as upwards.
 */

import { make, set, svg } from "../kernel/base.js";
import { DASHES, clamp } from "../kernel/formats.js";
import { followSize } from "../kernel/stage.js";
import { stagesOf } from "./waves.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {import("./waves.js").Point} Point
 * @typedef {import("./waves.js").Look & {name: string, label: string, angle: string, to: Point}} Direction
 * @typedef {{innerSteps: number, walks: Point[][], lambdas: Point[][], moved: Point, arrow: Point, directions: Direction[],
 *   looks: Record<string, import("./waves.js").Look>, names: string[]}} PlaneData
 *   from theta_0, in weights; `lambdas` are arrows from the places of `walks`, `to` are of length 1 at most
 * @typedef {{element: SVGElement, names: string[], since: number, faded: (at: number) => number, draw: (grown: number) => void}} Item
 *   something that is there from a stage on, by the names that light it; drawn as far as it has grown
 */

const EDGE = 26;
const HEAD = 9;
const DIM = 0.12;

export class Plane {
  // From the first data on.
  /** @type {PlaneData} */ data;
  /** @type {Theme} */ theme;
  /** @type {(place: Point) => Point} */ px;

  constructor() {
    this.svg = svg("svg", { role: "img" });
    this.element = make("div", { className: "md-plane" }, this.svg);
    /** @type {Item[]} */
    this.items = [];
    this.at = this.width = this.height = 0;
    /** @type {?string} */
    this.front = null;
    this.observer = followSize(this.element, (width, height) => {
      [this.width, this.height] = [width, height];
      this.#draw();
    });
  }

  destroy() { this.observer.disconnect(); }

  /** @param {PlaneData} data  @param {Theme} theme */
  update(data, theme) {
    Object.assign(this, { data, theme });
    this.#draw();
  }

  #draw() {
    const { data, width, height } = this;
    if (!data || !width) return;
    const ends = this.#ends();
    this.px = fitted(ends, width, height);
    this.items = [...this.#walks(), ...this.#lambdas(), ...this.#directions(), this.#step(), this.#start()];
    set(this.svg, { viewBox: `0 0 ${width} ${height}` });
    this.svg.replaceChildren(...this.items.map((item) => item.element));
    this.show(this.at);
  }

  /** How long a direction is drawn: as far as the inner loops and their gradients reach. */
  get #reach() {
    const { walks, lambdas } = this.data;
    const far = walks.flatMap((walk, i) => walk.flatMap((place, k) => [place, sum(place, lambdas[i][k])]));
    return 0.8 * Math.max(...far.map(([x, y]) => Math.hypot(x, y)), 1e-9);
  }

  #ends() {
    const { walks, lambdas, directions, moved, arrow } = this.data;
    const reach = this.#reach;
    return [
      /** @type {Point} */ ([0, 0]), moved, arrow,
      ...directions.map(({ to }) => scaled(to, reach)),
      ...walks.flatMap((walk, i) => walk.flatMap((place, k) => [place, sum(place, lambdas[i][k])])),
    ];
  }

  /** The inner loops: the way so far, a dot at each step, and at the end the number of the wave. */
  #walks() {
    const { walks, looks, innerSteps } = this.data;
    const color = this.theme.pick(looks.maml.color);
    return walks.map((walk, i) => {
      const line = svg("path", { class: "md-line", stroke: color });
      const steps = walk.slice(1).map((place) => circle(this.px(place), 2.5, { fill: color }));
      const name = svg("text", { class: "md-plane-name" }, String(i + 1));
      const element = svg("g", {}, line, ...steps, name);
      /** @param {number} grown */
      const draw = (grown) => {
        const at = Math.min(Math.max(this.at, this.front === "theta" ? innerSteps : 0), innerSteps) * grown;
        const k = Math.floor(at);
        const places = walk.slice(0, k + 1);
        if (at > k) places.push(mix(walk[k], walk[k + 1], at - k));
        set(line, { d: path(places.map(this.px)) });
        steps.forEach((dot, j) => set(dot, { visibility: j < k ? "inherit" : "hidden" }));
        const [x, y] = this.px(places[places.length - 1]);
        set(name, { x: x + 7, y: y - 5, visibility: at > 0 ? "inherit" : "hidden" });
      };
      return { element, names: ["theta"], since: 0, faded: () => 1, draw };
    });
  }

  /** The gradients, each at the step that it belongs to. Those of later steps fade. */
  #lambdas() {
    const { walks, lambdas, innerSteps } = this.data;
    const { back, directions } = stagesOf(innerSteps);
    return lambdas.flatMap((row, i) => row.map((lambda, k) => {
      const since = back + innerSteps - k;
      const names = ["lambda", ...(k === innerSteps ? ["lambdaS"] : []), ...(k === 0 ? ["lambda0"] : [])];
      const arrow = this.#arrow(walks[i][k], lambda, { class: "md-back" });
      /** @param {number} at */
      const faded = (at) => (at > directions - 0.5 ? DIM : at > since + 0.5 ? 0.35 : 1);
      return { ...arrow, names, since, faded };
    }));
  }

  #directions() {
    const { directions, innerSteps } = this.data;
    const stages = stagesOf(innerSteps);
    return directions.map(({ name, to, color, dash }) => {
      const arrow = this.#arrow([0, 0], scaled(to, this.#reach), {
        stroke: this.theme.pick(color), fill: this.theme.pick(color), "stroke-width": 3, "stroke-dasharray": DASHES[dash] ?? "",
      });
      return {
        ...arrow, names: [name === "maml" ? "g" : name], since: stages.directions,
        faded: (/** @type {number} */ at) => (at > stages.moved - 0.5 ? 0.45 : 1),
      };
    });
  }

  /** The step that is taken, as long as arrows are drawn. */
  #step() {
    const { arrow, looks, innerSteps } = this.data;
    const color = this.theme.pick(looks.maml.color);
    const drawn = this.#arrow([0, 0], arrow, { stroke: color, fill: color, "stroke-width": 2 });
    return { ...drawn, names: ["g"], since: stagesOf(innerSteps).moved, faded: () => 1 };
  }

  /** theta_0, which moves at last. */
  #start() {
    const { moved, innerSteps } = this.data;
    const dot = svg("circle", { r: 6, class: "md-dot" });
    const from = circle(this.px([0, 0]), 4, { class: "md-query" });
    const name = svg("text", { class: "md-plane-name" }, "θ₀");
    const draw = () => {
      const [x, y] = this.px(scaled(moved, clamp(this.at - stagesOf(innerSteps).moved + 1, 0, 1)));
      set(dot, { cx: x, cy: y, r: this.front === "theta0" ? 9 : 6 });
      set(name, { x: x + 7, y: y + 18 });
    };
    return { element: svg("g", {}, from, dot, name), names: ["theta0"], since: 0, faded: () => 1, draw };
  }

  /** @param {Point} from  @param {Point} way  @param {Record<string, unknown>} look */
  #arrow(from, way, look) {
    const line = svg("path", { fill: "none" });
    const head = svg("path", { stroke: "none" });
    const start = this.px(from);
    /** @param {number} grown */
    const draw = (grown) => {
      const [x, y] = this.px(sum(from, scaled(way, grown)));
      const [dx, dy] = [x - start[0], y - start[1]];
      const length = Math.hypot(dx, dy);
      const size = Math.min(HEAD, 0.6 * length);
      const [ux, uy] = length ? [dx / length, dy / length] : [1, 0];
      const foot = [x - size * ux, y - size * uy];
      set(line, { d: `M${start.join()}L${foot.join()}` });
      set(head, {
        d: `M${x},${y}L${foot[0] - 0.45 * size * uy},${foot[1] + 0.45 * size * ux}`
          + `L${foot[0] + 0.45 * size * uy},${foot[1] - 0.45 * size * ux}Z`,
      });
    };
    return { element: svg("g", look, line, head), draw };
  }

  /** @param {number} at  a stage, or between two */
  show(at) {
    this.at = at;
    if (!this.px) return;
    const { front } = this;
    const known = this.items.some((item) => front !== null && item.names.includes(front));
    for (const item of this.items) {
      const lit = front !== null && item.names.includes(front);
      const grown = lit ? 1 : clamp(at - item.since + 1, 0, 1);
      set(item.element, {
        visibility: grown > 0 ? "visible" : "hidden",
        opacity: lit ? 1 : known ? DIM : item.faded(at),
      });
      item.draw(grown);
    }
    set(this.svg, { "aria-label": this.#words(Math.round(at)) });
  }

  /** @param {number} stage */
  #words(stage) {
    const { data } = this;
    const { back, directions } = stagesOf(data.innerSteps);
    const gradients = stage >= back ? "; arrows, the gradients on their way back" : "";
    const [, ...others] = data.directions.map(({ label, angle }) => `${label} ${angle} from MAML`);
    const ways = stage >= directions ? `; the directions of three algorithms, ${others.join(" and ")}` : "";
    return `The space of weights in a plane through θ₀, ${data.names[stage]}: the inner loops of ${data.walks.length} waves${gradients}${ways}.`;
  }

  /** Bring what has this name forward. @param {?string} name */
  light(name) {
    this.front = name;
    this.show(this.at);
  }
}

/** From places to pixels, with all of `ends` within the edges. @type {(ends: Point[], width: number, height: number) => (place: Point) => Point} */
function fitted(ends, width, height) {
  const [xs, ys] = [ends.map(([x]) => x), ends.map(([, y]) => y)];
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const unit = Math.min((width - 2 * EDGE) / Math.max(right - left, 1e-9), (height - 2 * EDGE) / Math.max(high - low, 1e-9));
  return ([x, y]) => [width / 2 + (x - (left + right) / 2) * unit, height / 2 - (y - (low + high) / 2) * unit];
}

/** @type {(a: Point, b: Point) => Point} */
const sum = ([ax, ay], [bx, by]) => [ax + bx, ay + by];

/** @type {(a: Point, times: number) => Point} */
const scaled = ([x, y], times) => [x * times, y * times];

/** @type {(a: Point, b: Point, part: number) => Point} */
const mix = (a, b, part) => sum(scaled(a, 1 - part), scaled(b, part));

/** @param {Point} place  @param {number} r  @param {Record<string, unknown>} more */
const circle = ([cx, cy], r, more) => svg("circle", { cx, cy, r, ...more });

/** @param {Point[]} places */
const path = (places) => places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
