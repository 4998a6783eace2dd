/** All units of a layer as small curves, before any step and now: buttons, of which one is chosen. */

import { make, set, svg } from "../kernel/base.js";
import { pretty } from "../kernel/formats.js";
import { pathOf } from "../kernel/paths.js";
import { neighbour } from "./places.js";

/**
 * @typedef {import("./layer.js").Layer} Layer
 * @typedef {import("./layer.js").Kind} Kind
 */

const [WIDTH, HEIGHT, EDGE] = [100, 60, 5]; // of a drawing; the page stretches it

export class Grid {
  /** @param {Layer} layer  @param {(place: number) => void} choose  a unit by its place in the order */
  constructor(layer, choose) {
    this.layer = layer;
    this.choose = choose;
    const { title, number, units } = layer.data;
    this.tiles = units.map(([unit, moved], place) => new Tile(`unit ${unit} of layer ${number}, moved ${pretty(moved)}`, () => choose(place)));
    const tiles = make("div", { className: "md-tiles", role: "group", "aria-label": `${title}; arrow keys go from unit to unit` },
      ...this.tiles.map((tile) => tile.button));
    tiles.addEventListener("keydown", (event) => this.#go(event));
    this.element = make("div", {}, make("p", { className: "md-panel-title" }, capital(title)), tiles);
    this.y = scale([0, 1]);
    /** @type {?Kind} */
    this.kind = null;
    this.#reach(0);
  }

  /** @param {Kind} kind  @param {number} at */
  show(kind, at) {
    if (this.kind !== kind) this.y = scale(this.layer.range(kind));
    const { y } = this;
    const x = (/** @type {number} */ share) => share * WIDTH;
    this.tiles.forEach((tile, unit) => {
      set(tile.now, { d: pathOf(this.layer.curve(kind, unit, at), x, y) });
      if (this.kind === kind) return;
      set(tile.before, { d: pathOf(this.layer.curve(kind, unit, 0), x, y) });
      set(tile.zero, { d: `M0,${y(0)}H${WIDTH}` });
    });
    this.kind = kind;
  }

  /** Mark what is chosen, if it is in this layer, and which units are in the sum. @param {?number} place  @param {number} count */
  mark(place, count) {
    this.tiles.forEach(({ button }, i) => {
      button.setAttribute("aria-pressed", String(i === place));
      button.classList.toggle("md-in", i < count);
    });
    if (place !== null) this.#reach(place);
  }

  /** Which one the Tab key comes to. @param {number} place */
  #reach(place) { this.tiles.forEach(({ button }, i) => { button.tabIndex = i === place ? 0 : -1; }); }

  /** @param {KeyboardEvent} event */
  #go(event) {
    const buttons = this.tiles.map((tile) => tile.button);
    const place = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const to = neighbour(event.key, place, buttons.length, this.#columns);
    if (to === null || place < 0) return;
    event.preventDefault();
    this.#reach(to);
    buttons[to].focus();
  }

  get #columns() {
    const tops = this.tiles.map(({ button }) => button.offsetTop);
    return tops.filter((top) => top === tops[0]).length;
  }
}

/** @type {(range: [low: number, high: number]) => (value: number) => number} */
function scale([low, high]) { return (value) => HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE); }

/** A unit's button, with its curve before any step and now. */
class Tile {
  /** @param {string} name  @param {() => void} press */
  constructor(name, press) {
    this.zero = svg("path", { class: "md-tile-zero" });
    this.before = svg("path", { class: "md-tile-before" });
    this.now = svg("path", { class: "md-tile-now" });
    this.button = make("button", { type: "button", className: "md-tile", "aria-label": name, "aria-pressed": "false" },
      svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.zero, this.before, this.now));
    this.button.addEventListener("click", press);
  }
}

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);
