/**
 * A map of waves: a dot on it is dragged, and the wave of its place follows. Python (context_map.py beside it) sends the data.
 *
 * Until the visitor drags it the dot is where the scrubber's step has led; a move of the scrubber brings it back there.
 *
 * @typedef {import("../kernel/plot.js").Curve} Curve
 * @typedef {import("./plane.js").PlaneData & Omit<import("../kernel/wave_chart.js").Look, "curves"> & {
 *   curves: import("../kernel/rows.js").Packed, side: number, wave: Curve, truth: Curve, sentence: string, detail: string,
 *   phases: string[], sizes: string[], page: string, assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-step, data-place (of the dot), data-own
 * (whether the visitor moved it), data-gap (from the curve at the dot to the visitor's wave, on average).
 */

import { make, mount, readTheme, say, svg } from "../kernel/base.js";
import { Beside } from "../kernel/beside.js";
import { pretty } from "../kernel/formats.js";
import { between, decode } from "../kernel/rows.js";
import { mark } from "../kernel/stage.js";
import { WaveChart } from "../kernel/wave_chart.js";
import { CurveGrid } from "./grid.js";
import { Plane, radius } from "./plane.js";

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new ContextMap(host));
}

/** @extends {Beside<Data>} */
class ContextMap extends Beside {
  // From the first data on.
  /** @type {CurveGrid} */ grid;
  /** @type {Float64Array} */ truth;
  /** @type {string} */ key;
  // From when it is built.
  /** @type {HTMLElement} */ sentence;
  /** @type {HTMLElement} */ detail;
  /** @type {HTMLElement} */ legend;
  /** @type {HTMLElement} */ told;
  /** @type {HTMLButtonElement} */ back;
  /** @type {Plane} */ plane;
  /** @type {WaveChart} */ chart;

  /** @param {HTMLElement} host */
  constructor(host) {
    super(host);
    this.at = Infinity; // until a scrubber says otherwise: the last step
    /** @type {?number[]} */
    this.own = null; // where the visitor has put the dot
  }

  build() {
    this.sentence = make("p", { className: "md-context-sentence" });
    this.detail = make("p", { className: "md-small md-context-detail" });
    this.legend = make("div", { className: "md-context-legend" });
    this.told = make("p", { className: "md-context-told", "aria-live": "polite" });
    this.back = make("button", { type: "button", className: "md-toggle" }, "Back to your steps");
    this.back.addEventListener("click", () => this.#put(null));
    this.plane = new Plane((place) => this.#put(place));
    this.chart = new WaveChart();
    const left = make("div", {}, this.plane.stage, this.legend);
    const right = make("div", {}, this.chart.element, this.told, this.back, this.detail);
    return make("div", { className: "md-chart md-context" },
      this.sentence, make("div", { className: "md-context-body" }, left, right));
  }

  /** @param {import("../kernel/shared.js").Values} news */
  follow({ step }) { if (step !== undefined) this.#scrub(step); }

  /** New data, or another theme. */
  take() {
    const { data } = this;
    const theme = readTheme(this.host);
    const key = JSON.stringify([data, theme.key]);
    if (key === this.key) return;
    this.key = key;
    this.grid = new CurveGrid(decode(data.curves), data.side, data.reach);
    [this.truth] = decode(data.truth);
    say(this.sentence, data.sentence);
    say(this.detail, data.detail);
    this.legend.replaceChildren(...this.#legend());
    this.plane.update(data);
    this.chart.update({ ...data, curves: [data.wave, data.truth] }, theme);
    this.#show();
    mark(this.host, { ready: true });
  }

  /** What the colours of the tasks and their sizes mean. */
  #legend() {
    const { cycle, phases, sizes } = this.data;
    const ring = make("i", { className: "md-context-ring" });
    ring.style.background = `conic-gradient(from 90deg in oklab, ${[cycle[0], ...[...cycle].reverse()].join(", ")})`;
    const wheel = make("span", { className: "md-context-wheel", role: "img", "aria-label": "Colours: the phase" },
      ring, ...phases.map((phase) => make("span", { "aria-hidden": "true" }, phase)));
    const size = (/** @type {string} */ text) => {
      const r = radius(Number(text) / Number(sizes[1]));
      return make("span", { className: "md-key" }, svg("svg", { width: 14, height: 14, "aria-hidden": "true" },
        svg("circle", { cx: 7, cy: 7, r, class: "md-context-task" })), `A = ${text}`);
    };
    return [wheel, make("span", {}, `held-out waves, by phase φ${sizes.length ? " and height A" : ""}`), ...sizes.map(size)];
  }

  /** @param {number} step */
  #scrub(step) {
    if (step === this.at) return;
    this.at = step;
    this.own = null;
    this.#show();
  }

  /** The visitor moves the dot, or lets it go. @param {?number[]} place */
  #put(place) {
    this.own = place;
    this.#show();
  }

  #show() {
    const { data: { walk }, own, truth } = this;
    const at = Math.min(this.at, walk.length - 1);
    const place = own ?? between(walk, at);
    const curve = this.grid.at(place);
    const gap = curve.reduce((sum, v, i) => sum + Math.abs(v - truth[i]), 0) / curve.length;
    this.plane.show(place, at);
    this.chart.show([curve, truth]);
    this.back.hidden = !own;
    if (own || Number.isInteger(at)) this.#say(place, at, gap);
  }

  /** @param {number[]} place  @param {number} step  @param {number} gap */
  #say(place, step, gap) {
    const { own, data: { truth, tasks } } = this;
    const after = step === 0 ? "Where all begin, before any step" : `Where ${step} step${step === 1 ? " has" : "s have"} led`;
    const far = `off by ${pretty(gap)} on average from ${truth.label}`;
    say(this.told, `${own ? "Where you put the dot" : after}: ${far}.`);
    this.plane.name(`Map of ${tasks.length} held-out waves. The dot is at ${place.map(pretty).join(", ")}; arrow keys move it.`);
    this.chart.name(`The network at the dot, ${far}; and ${truth.label}.`);
    mark(this.host, { step, place: place.map((v) => v.toFixed(3)).join(), own: Boolean(own), gap: gap.toFixed(4) });
  }

  destroy() {
    super.destroy();
    this.plane?.destroy();
    this.chart?.destroy();
  }
}
