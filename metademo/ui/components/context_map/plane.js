/** The map itself: tasks as coloured dots, a walk, and the dot that the visitor moves. */

import { make, set, svg } from "../kernel/base.js";
import { clamp } from "../kernel/formats.js";
import { between } from "../kernel/rows.js";
import { followSize } from "../kernel/stage.js";
import { colourOf } from "./grid.js";

/**
 * @typedef {{tasks: [x: number, y: number, turn: number, size: number][], cycle: string[], reach: number, walk: number[][]}} PlaneData
 */

const TALLEST = 400;
const [SMALL, LARGE] = [2, 6]; // radii of tasks
const REACH = 22; // around the dot, for a finger
const STRIDE = 1 / 25; // of the way from the middle to an edge

export class Plane {
  // From the first data on.
  /** @type {PlaneData} */ data;
  /** @type {SVGElement} */ halo;
  /** @type {SVGElement} */ head;
  /** @type {SVGElement} */ grip;
  /** @type {SVGElement} */ trod;

  /** @param {(place: number[]) => void} moved  by the visitor's hand */
  constructor(moved) {
    this.moved = moved;
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.element = make("div", {
      className: "md-context-plane", tabIndex: 0, role: "application", "aria-roledescription": "map",
    }, this.svg);
    this.stage = make("div", {}, this.element);
    this.at = [0, 0];
    this.step = this.size = 0;
    /** @type {?number} */
    this.holding = null;
    /** @type {import("../kernel/base.js").Listen} */
    const on = (name, what) => this.element.addEventListener(name, what);
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => { if (this.holding === event.pointerId) this.moved(this.#under(event)); });
    on("pointerup", () => { this.holding = null; });
    on("pointercancel", () => { this.holding = null; });
    on("click", (event) => this.moved(this.#under(event)));
    on("keydown", (event) => this.#key(event));
    this.observer = followSize(this.stage, (width) => {
      this.size = Math.min(width, TALLEST);
      this.#draw();
    });
  }

  /** @param {PlaneData} data */
  update(data) {
    this.data = data;
    this.#draw();
  }

  #draw() {
    const { data, size } = this;
    if (!data || !size) return;
    this.halo = svg("circle", { r: 11, class: "md-context-halo" });
    this.head = svg("circle", { r: 7, class: "md-dot md-context-dot" });
    this.grip = svg("circle", { r: REACH, class: "md-context-grip" });
    this.trod = svg("path", { class: "md-walk" });
    const [dotX, dotY] = this.#px([0, 0]);
    set(this.svg, { width: size, height: size });
    this.svg.replaceChildren(
      svg("path", { class: "md-grid", d: `M0,${dotY}H${size}M${dotX},0V${size}` }),
      ...this.#tasks(),
      svg("path", { class: "md-walk-ground", d: this.#line(data.walk) }),
      this.trod,
      ...data.walk.map((place) => this.#circle(place, { r: 3.5, class: "md-step-on" })),
      this.halo, this.head, this.grip,
    );
    this.show(this.at, this.step);
  }

  /** The small ones lie on top. */
  #tasks() {
    const { tasks, cycle } = this.data;
    return [...tasks].sort((a, b) => b[3] - a[3]).map(([x, y, turn, relative]) =>
      this.#circle([x, y], { r: radius(relative), class: "md-context-task", style: `fill:${colourOf(cycle, turn)}` }));
  }

  /** @param {number[]} place  of the dot  @param {number} step  up to which the walk is drawn in full */
  show(place, step) {
    Object.assign(this, { at: place, step });
    if (!this.head) return;
    const { walk } = this.data;
    const k = Math.min(step, walk.length - 1);
    set(this.trod, { d: this.#line([...walk.slice(0, Math.floor(k) + 1), between(walk, k)]) });
    const [cx, cy] = this.#px(place);
    for (const circle of [this.halo, this.head, this.grip]) set(circle, { cx, cy });
  }

  /** @param {string} label  of all of it, in words */
  name(label) { set(this.element, { "aria-label": label }); }

  /** A finger that lands elsewhere may be about to scroll: it moves the dot when it is lifted. @param {PointerEvent} event */
  #down(event) {
    if (event.button || (event.pointerType === "touch" && event.target !== this.grip)) return;
    this.holding = event.pointerId;
    this.element.setPointerCapture(event.pointerId);
    this.moved(this.#under(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, number[]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const stride = this.data.reach * STRIDE * (event.shiftKey ? 4 : 1);
    this.moved(this.#inside(this.at.map((v, i) => v + stride * way[i])));
  }

  /** @param {MouseEvent} event */
  #under(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    const share = [(event.clientX - left) / this.size, 1 - (event.clientY - top) / this.size];
    return this.#inside(share.map((v) => (2 * v - 1) * this.data.reach));
  }

  /** @param {number[]} place */
  #inside(place) { return place.map((v) => clamp(v, -this.data.reach, this.data.reach)); }

  /** What lies beyond the map is at its edge. @param {number[]} place */
  #px(place) {
    const [x, y] = place.map((v) => (clamp(v / this.data.reach, -1, 1) + 1) / 2);
    return [x * this.size, (1 - y) * this.size];
  }

  /** @param {number[]} place  @param {Record<string, unknown>} look */
  #circle(place, look) {
    const [cx, cy] = this.#px(place);
    return svg("circle", { cx, cy, ...look });
  }

  /** @param {number[][]} places */
  #line(places) { return `M${places.map((place) => this.#px(place).map((v) => v.toFixed(1)).join()).join("L")}`; }

  destroy() { this.observer.disconnect(); }
}

/** Of a task's dot. @param {number} relative  amplitude, to the largest */
export function radius(relative) { return SMALL + (LARGE - SMALL) * relative; }
