/**
 * The network's own parts: all units as small curves, and one of them in the sum of all. Python (units.py beside it) sends the data.
 *
 * It follows the scrubber of a chart on the same page. Which unit is chosen, what the small curves show and how far the
 * sum goes is the browser's own affair.
 *
 * @typedef {import("./layer.js").LayerData} LayerData
 * @typedef {import("./layer.js").Kind} Kind
 * @typedef {import("../kernel/plot.js").Curve} Curve
 * @typedef {Omit<import("../kernel/wave_chart.js").Look, "curves"> & {page: string, sentence: string, wave: Curve, truth: Curve,
 *   share: Curve, total: Curve, seen: string[], layers: LayerData[], assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-step, data-layer and data-unit (which one
 * is chosen), data-parts (how many are in the sum), data-gap (how far the sum is from the wave, at most).
 */

import { make, mount, readTheme, say } from "../kernel/base.js";
import { Beside } from "../kernel/beside.js";
import { explained } from "../kernel/explain.js";
import { clamp, pretty } from "../kernel/formats.js";
import { decode } from "../kernel/rows.js";
import { lineMark, mark } from "../kernel/stage.js";
import { WaveChart } from "../kernel/wave_chart.js";
import { Grid } from "./grid.js";
import { Layer, apart, between } from "./layer.js";
import { Pushes } from "./pushes.js";

const SAME = 0.002; // as far as that, two curves lie on the same pixels
const LAYERS = ["", "first", "second"];
/** @type {[kind: Kind, name: string, about: string][]} */
const KINDS = [
  ["activations", "activation", "What the unit puts out, at each x. All are on one scale."],
  ["contributions", "weight × activation", "The unit's share of the wave: what it puts out times its weight on the way to the "
    + "output. A unit of the first layer goes there through the open units of the second, so its share jumps where one of "
    + "those opens or closes. All are on one scale."],
];

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Units(host));
}

/** @extends {Beside<Data>} */
class Units extends Beside {
  // From the first data on.
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Layer[]} */ layers;
  /** @type {Grid[]} */ grids;
  /** @type {Float64Array[]} */ wave;
  /** @type {Float64Array} */ truth;
  /** @type {number} */ layer;
  /** @type {number} */ place;
  /** @type {number} */ count;
  /** @type {string} */ key;
  // From when it is built.
  /** @type {HTMLElement} */ sentence;
  /** @type {HTMLElement} */ switch;
  /** @type {HTMLElement} */ keys;
  /** @type {HTMLElement} */ tiles;
  /** @type {HTMLElement} */ title;
  /** @type {HTMLElement} */ about;
  /** @type {HTMLInputElement} */ range;
  /** @type {HTMLElement} */ track;
  /** @type {HTMLElement} */ how;
  /** @type {HTMLElement} */ total;
  /** @type {WaveChart} */ sum;
  /** @type {Pushes} */ pushes;

  /** @param {HTMLElement} host */
  constructor(host) {
    super(host);
    this.at = Infinity; // until a scrubber says otherwise: the last step
    /** @type {Kind} */
    this.kind = "contributions";
    /** What the visitor chose: that stays when other data come. @type {{unit?: [layer: number, unit: number], count?: number}} */
    this.own = {};
  }

  build() {
    this.sentence = make("p", { className: "md-units-sentence" });
    this.switch = make("div", { className: "md-units-switch", role: "group", "aria-label": "What the small curves show" },
      ...KINDS.map(([kind, name, about]) => {
        const button = make("button", { type: "button", className: "md-toggle", "aria-pressed": "false" }, name);
        button.addEventListener("click", () => this.#turn(kind));
        return explained(button, about);
      }));
    this.keys = make("span", { className: "md-units-keys" });
    this.tiles = make("div", { className: "md-units-grids" });
    this.sum = new WaveChart();
    this.title = make("p", { className: "md-panel-title" });
    this.about = make("p", { className: "md-units-about", "aria-live": "polite" });
    this.range = make("input", { type: "range", min: 0, step: 1, "aria-label": "How many shares are in the sum" });
    this.range.addEventListener("input", () => {
      this.own.count = Number(this.range.value);
      this.#reckon();
    });
    this.track = make("div", { className: "md-track" }, this.range);
    this.how = make("span", { className: "md-step", "aria-hidden": "true" });
    this.total = make("p", { className: "md-units-total" });
    this.pushes = new Pushes();
    const left = make("div", {}, make("div", { className: "md-units-head" }, this.switch, this.keys), this.tiles);
    const right = make("div", {}, this.title, this.about, this.sum.element,
      make("div", { className: "md-scrub md-units-slider" }, this.track, this.how), this.total, this.pushes.element);
    return make("div", { className: "md-chart md-units" },
      this.sentence, make("div", { className: "md-units-body" }, left, right));
  }

  /** @param {import("../kernel/shared.js").Values} news */
  follow({ step }) { if (step !== undefined) this.#show(step); }

  /** New data, or another theme. */
  take() {
    const { data } = this;
    const theme = readTheme(this.host);
    const key = JSON.stringify([data, theme.key]);
    if (key === this.key) return;
    Object.assign(this, { key, theme });
    this.layers = data.layers.map((layer) => new Layer(layer));
    this.wave = decode(data.wave);
    [this.truth] = decode(data.truth);
    this.grids = this.layers.map((layer, i) => new Grid(layer, (place) => this.#choose(i, place)));
    this.tiles.replaceChildren(...this.grids.map((grid) => grid.element));
    this.tiles.style.setProperty("--color", theme.pick(data.wave.color));
    this.tiles.style.setProperty("--in", theme.pick(data.total.color));
    this.tiles.style.setProperty("--chosen", theme.pick(data.share.color));
    const faint = { ...data.wave, width: 1.5, opacity: 0.5 };
    this.keys.replaceChildren(lineMark(faint, theme), "before", lineMark(data.wave, theme), "now");
    say(this.sentence, data.sentence);
    this.sum.update({ ...data, curves: [data.truth, data.wave, data.total, data.share] }, theme);
    this.pushes.update(data.seen);
    [this.layer, this.place] = this.#kept();
    this.#reckon();
    this.#turn(this.kind);
    mark(this.host, { ready: true });
  }

  /** The visitor's unit, if it is there, or the one of the last layer that moved most. @returns {[layer: number, place: number]} */
  #kept() {
    const [number, unit] = this.own.unit ?? [];
    const layer = this.layers.findIndex(({ data }) => data.number === number);
    const place = layer < 0 ? -1 : this.layers[layer].data.units.findIndex(([own]) => own === unit);
    return place < 0 ? [this.layers.length - 1, 0] : [layer, place];
  }

  /** @param {number} layer  @param {number} place */
  #choose(layer, place) {
    const { data } = this.layers[layer];
    this.own.unit = [data.number, data.units[place][0]];
    if (layer !== this.layer) this.own.count = undefined; // another layer is another sum
    Object.assign(this, { layer, place });
    this.#reckon();
  }

  /** How many shares are in the sum: as many as the visitor said, or as say most. */
  #reckon() {
    const { parts, data: { telling, units: { [this.place]: [, moved, about] } } } = this.chosen;
    this.count = Math.min(this.own.count ?? telling, parts);
    this.range.max = String(parts);
    this.range.value = String(this.count);
    this.track.style.setProperty("--md-share", String(this.count / parts));
    this.grids.forEach((grid, i) => grid.mark(i === this.layer ? this.place : null, i === this.layer ? this.count : 0));
    say(this.title, `Unit ${this.unit} of the ${LAYERS[this.chosen.data.number]} layer, moved ${pretty(moved)}`);
    say(this.about, about);
    this.#show(this.at);
  }

  /** What the small curves show. @param {Kind} kind */
  #turn(kind) {
    this.kind = kind;
    KINDS.forEach(([name], i) => this.switch.children[i].setAttribute("aria-pressed", String(name === kind)));
    this.#show(this.at);
  }

  get chosen() { return this.layers[this.layer]; }

  /** The number of the unit that is chosen. */
  get unit() { return this.chosen.data.units[this.place][0]; }

  /** Everything that follows the scrubber. @param {number} at */
  #show(at) {
    this.at = at;
    const { chosen, place, count } = this;
    const step = clamp(at, 0, chosen.last);
    const wave = between(this.wave, step);
    const total = chosen.sum(count, step);
    const share = chosen.curve("contributions", place, step);
    for (const grid of this.grids) grid.show(this.kind, step);
    this.sum.show([this.truth, wave, total, share]);
    this.pushes.show(chosen.pushes(place, step), chosen.hardest(place));
    if (Number.isInteger(step)) this.#say(step, apart(total, wave), share);
  }

  /**
   * The same in words, at a whole step.
   * @param {number} step
   * @param {{mean: number, most: number}} gap  between the sum and the wave
   * @param {Float64Array} share
   */
  #say(step, gap, share) {
    const { chosen: { parts, units, data }, count, unit } = this;
    const all = count === parts;
    const some = `${Math.min(count, data.units.length)} of ${units} shares`;
    const sum = all ? `all ${units} shares` : some;
    const far = Number.isNaN(gap.most) ? "the network has run away"
      : gap.most < SAME ? "the wave itself" : `off the wave by ${pretty(gap.mean)} on average`;
    say(this.how, all ? `all ${units}` : `${count} of ${units}`);
    say(this.total, `The biases and ${sum}: ${far}.`);
    this.range.setAttribute("aria-valuetext", `${sum}: ${far}`);
    const when = step === 0 ? "before any step" : `after ${step} step${step === 1 ? "" : "s"}`;
    this.sum.name(`The network's wave ${when} and the true wave; the share of unit ${unit}, from ${pretty(Math.min(...share))} to `
      + `${pretty(Math.max(...share))}; and the biases with ${sum}, ${far}.`, [null, null, `sum of ${sum}`, `unit ${unit}'s share`]);
    this.pushes.name(`unit ${unit}`, step);
    mark(this.host, { step, layer: data.number, unit, parts: count, gap: gap.most.toFixed(5) });
  }

  destroy() {
    super.destroy();
    this.sum?.destroy();
  }
}
