/**
 * The stage of the Train page: how far a run is, losses at the left, probe tasks at the right, one slider over the
 * snapshots under both. While there is more to come it asks Python (train_stage.py beside it) for it, naming the
 * snapshots that it has; the answer holds the others. Nothing is mounted anew.
 *
 * @typedef {{caption: string, detail: string, captionFacts: Facts, detailFacts: Facts, curves: string[]}} Row  what a snapshot looks like
 * @typedef {import("../kernel/plot.js").Curve & {moves: boolean}} Curve  one that moves has a row for each snapshot
 * @typedef {import("../kernel/base.js").Facts} Facts
 * @typedef {import("./lines.js").LinesData & Omit<import("../kernel/plot.js").PlotData, "curves">
 *   & {curves: Curve[], turn: number, run: string, name: string, live: boolean, steps: number, stepNames: string[],
 *   fresh: number[], captions: string[], details: string[], captionFacts: Facts[], detailFacts: Facts[],
 *   verdict: string, verdictFacts: Facts, moment: {address: string, aside: string, shows: string}, points: [x: number, y: number][],
 *   progress: import("./run_bar.js").Report, height: number, assets: import("../kernel/base.js").Assets,
 *   images: string[][]}} Data
 *   as sent, `captions`, `details`, their facts and the rows of moving curves are those of `fresh` alone; with `images` the
 *   probe task is one of signs, and curves are its probabilities
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-drawn (counts drawn answers), data-run,
 * data-step (the outer step shown), data-newest (the newest one known), data-at (the slider's place) and data-told (the
 * outer step at which the server knows that the slider rests).
 */

import { arrived } from "../kernel/address.js";
import { tell } from "../kernel/explain.js";
import { sendAlone } from "../kernel/messages.js";
import { make, mount, readTheme, say, set, svg, uniqueId } from "../kernel/base.js";
import { Lines } from "./lines.js";
import { offer } from "../kernel/pictures.js";
import { Plot } from "../kernel/plot.js";
import { Progress, keepFocus } from "./run_bar.js";
import { Scrubber } from "../kernel/scrubber.js";
import { SignBars } from "./sign_bars.js";
import { shared } from "../kernel/shared.js";
import { followSize, lineMark, mark, pointsKey, start } from "../kernel/stage.js";

const PAGE = "train";
const REST = 120; // ms without a move after which the server is told where the slider stands
const POLL = 200; // ms from an answer to the next question
const PATIENCE = 3000; // ms until a question is taken as lost and asked again

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Stage(host));
}

class Stage {
  // From the first data on; the second half from when it is built.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {{run: string, rows: Map<number, Row>}} */ known;
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Promise<void>} */ starting;
  /** @type {Lines} */ lines;
  /** @type {HTMLElement} */ legend;
  /** @type {HTMLElement} */ canvas;
  /** @type {HTMLElement} */ stage;
  /** @type {HTMLElement} */ now;
  /** @type {HTMLElement} */ small;
  /** @type {SVGElement} */ dots;
  /** @type {Progress} */ progress;
  /** @type {Scrubber} */ scrubber;
  /** @type {Plot} */ plot;
  /** @type {SignBars} */ bars;
  /** @type {ResizeObserver} */ observer;
  /** @type {() => void} */ leaveFocus;
  /** @type {() => void} */ withdraw;
  /** @type {string} */ run;
  /** @type {string} */ dotsKey;
  /** @type {string} */ legendKey;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.drawn = 0;
    /** @type {?{run: string, step: number}} */
    this.told = null;
    this.turn = 0; // of the last question
  }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    const data = this.#complete(component.data);
    this.#askAgain(component.data, !data);
    if (!data) return;
    this.data = data;
    if (this.stage) this.#take();
    this.starting ??= this.#start();
  }

  /**
   * Ask for more: while a run is under way, and once at its end, so that the server knows that all has arrived. With
   * snapshots lacking, at once. A question that is under way already comes first.
   * @param {Data} sent
   * @param {boolean} lacking
   */
  #askAgain(sent, lacking) {
    const more = lacking || sent.live || (sent.run && sent.fresh.length > 0);
    if (sent.turn < this.turn && more) return;
    clearTimeout(this.asking);
    if (more) this.asking = setTimeout(() => this.#ask(), lacking ? 0 : POLL);
  }

  #ask() {
    this.turn += 1;
    this.asking = setTimeout(() => this.#ask(), PATIENCE);
    const have = { turn: this.turn, run: this.known.run, steps: [...this.known.rows.keys()] };
    sendAlone(() => this.component.setStateValue("have", have));
  }

  /**
   * Only what the server does not know to be here was sent: put it together with the rest. Null if some of it is
   * missing all the same.
   * @param {Data} sent
   * @returns {?Data}
   */
  #complete(sent) {
    if (this.known?.run !== sent.run) this.known = { run: sent.run, rows: new Map() };
    const { rows } = this.known;
    sent.fresh.forEach((step, i) => rows.set(step, {
      caption: sent.captions[i],
      detail: sent.details[i],
      captionFacts: sent.captionFacts[i],
      detailFacts: sent.detailFacts[i],
      curves: sent.curves.map(({ moves, y, rows: n }) => (moves ? y.slice((y.length / n) * i, (y.length / n) * (i + 1)) : "")),
    }));
    const all = sent.snapshots.map((step) => rows.get(step));
    if (!all.every((row) => row !== undefined)) return null;
    this.known.rows = new Map(sent.snapshots.map((step, i) => [step, all[i]]));
    return {
      ...sent,
      captions: all.map((row) => row.caption),
      details: all.map((row) => row.detail),
      captionFacts: all.map((row) => row.captionFacts),
      detailFacts: all.map((row) => row.detailFacts),
      curves: sent.curves.map((curve, k) => (curve.moves
        ? { ...curve, rows: all.length, y: all.map((row) => row.curves[k]).join("") } : curve)),
    };
  }

  #start() {
    return start(this.component, {
      what: "The curves",
      show: () => {
        this.#build();
        this.#take();
      },
      draw: (Plotly) => {
        this.plot = new Plot(this.canvas, Plotly);
        this.withdraw = offer("train", () => this.#shown());
        this.stage.classList.add("md-drawn");
        this.observer = followSize(this.stage, (width, height) => {
          this.plot.size = [width, height];
          this.theme = readTheme(this.host);
          if (!this.#asksSigns) this.#drawPlot();
          this.#drawLegend();
          this.lines.update(this.data, this.theme);
          mark(this.host, { ready: true });
        });
      },
    });
  }

  #build() {
    this.lines = new Lines((step) => {
      this.scrubber.stop();
      this.scrubber.go(nearest(this.data.snapshots, step));
    });
    this.legend = make("div", { className: "md-legend" });
    this.canvas = make("div", { className: "md-plot", role: "img" });
    this.dots = svg("svg", { class: "md-probe-points", "aria-hidden": "true" });
    this.bars = new SignBars();
    this.stage = make("div", { className: "md-stage" }, this.canvas, this.dots, this.bars.element);
    this.progress = new Progress();
    this.scrubber = new Scrubber((at, playing) => this.#show(at, playing));
    this.now = make("p", { className: "md-now", id: uniqueId("md-now"), "aria-live": "off", "aria-atomic": "true" });
    this.small = make("p", { className: "md-small" });
    this.host.replaceChildren(make("div", { className: "md-chart md-train" },
      this.progress.element,
      make("div", { className: "md-train-charts" },
        this.lines.element,
        make("div", {}, this.legend, this.stage)),
      this.scrubber.element,
      make("div", { className: "md-caption" },
        make("div", { className: "md-large" }, this.now), this.small)));
    this.host.style.minHeight = "";
    this.leaveFocus = keepFocus(document.querySelector(".st-key-train-bar"));
  }

  #take() {
    const { data, scrubber } = this;
    const theme = readTheme(this.host);
    this.theme = theme;
    this.stage.style.setProperty("--md-height", `${data.height}px`);
    this.lines.element.style.setProperty("--md-height", `${data.height}px`);
    const fresh = data.run !== this.run;
    if (fresh) scrubber.stop();
    this.progress.update(data.progress);
    scrubber.update({ steps: data.steps, names: data.stepNames, seconds: 0.12 });
    this.lines.update(data, theme);
    this.stage.classList.toggle("md-with-signs", this.#asksSigns);
    if (this.#asksSigns) this.bars.update(data, theme);
    else if (this.plot?.size[0]) this.#drawPlot();
    this.#drawLegend();
    const at = this.run === undefined && data.run ? arrived(PAGE).at : null;
    this.run = data.run;
    if (fresh) scrubber.go(at === null ? data.steps : nearest(data.snapshots, at));
    else this.#show(scrubber.at, scrubber.playing);
    mark(this.host, { run: data.run, newest: data.snapshots.at(-1), drawn: (this.drawn += 1) });
  }

  /** Whether the probe task is one of signs, and not of curves. */
  get #asksSigns() { return this.data.images.length > 0; }

  /** What a picture of the probe task holds. @returns {?import("../kernel/pictures.js").Shown} */
  #shown() {
    if (this.#asksSigns) return null;
    const { data, plot, theme } = this;
    const keys = data.curves.map(({ label, legend }) => ({ name: label, visible: legend }));
    return { plot, theme, keys, points: data.points, pointsLabel: "its points", when: data.stepNames[Math.round(this.scrubber.at)] };
  }

  #drawPlot() {
    const moved = this.plot.update(this.data, this.theme, this.scrubber.at);
    const key = JSON.stringify(this.data.points);
    if (!moved && key === this.dotsKey) return;
    this.dotsKey = key;
    const { left, top } = this.plot.area;
    this.dots.replaceChildren(...this.data.points.map(([px, py]) => {
      const [x, y] = this.plot.toPixels(px, py);
      return svg("circle", { cx: left + x, cy: top + y, r: 4.5, class: "md-dot" });
    }));
  }

  /** @param {number} at  @param {boolean} playing */
  #show(at, playing) {
    const { data } = this;
    const k = Math.round(at);
    if (this.#asksSigns) this.bars.show(at);
    else if (this.plot?.x) this.plot.show(at);
    this.lines.show(at);
    this.now.setAttribute("aria-live", playing || data.live ? "off" : "polite");
    const verdict = k === data.steps ? data.verdict : "";
    tell(this.now, verdict || (data.captions[k] ?? ""), verdict ? data.verdictFacts : (data.captionFacts[k] ?? []));
    tell(this.small, verdict ? "" : (data.details[k] ?? ""), data.detailFacts[k] ?? []);
    const shown = data.curves.filter((curve) => curve.legend).map((curve) => curve.label);
    const [figure, label] = this.#asksSigns
      ? [this.bars.element, `${this.bars.told(at)}, ${data.name}, ${data.stepNames[k]}.`]
      : [this.canvas, `The network on new waves, ${data.name}, ${data.stepNames[k]}: ${shown.join(", ")}.`];
    set(figure, { "aria-label": label, "aria-describedby": this.now.id });
    mark(this.host, { step: data.snapshots[k], at: k });
    shared(PAGE).set({
      ...data.moment, at: k < data.steps ? String(data.snapshots[k]) : "", stands: data.run && k < data.steps ? data.stepNames[k] : "",
    });
    clearTimeout(this.resting);
    if (!playing) this.resting = setTimeout(() => this.#tell(), REST);
  }

  /** Tell the server where the slider rests: at an outer step, or at the newest one there is. */
  #tell() {
    const { scrubber, data } = this;
    const k = Math.round(scrubber.at);
    const step = k >= data.steps ? null : data.snapshots[k];
    const message = step === null ? null : { run: data.run, step };
    if (JSON.stringify(message) === JSON.stringify(this.told)) return;
    this.told = message;
    mark(this.host, { told: step });
    sendAlone(() => this.component.setStateValue("rest", message));
  }

  #drawLegend() {
    const { data, theme } = this;
    const shown = data.curves.filter((c) => c.legend);
    const key = JSON.stringify([theme.key, this.#asksSigns, data.points.length > 0, shown.map((c) => [c.label, c.color, c.dash])]);
    if (key === this.legendKey) return;
    this.legendKey = key;
    const items = this.#asksSigns ? this.bars.keys(theme)
      : shown.map((curve) => make("span", { className: "md-key" }, lineMark(curve, theme), make("span", {}, curve.label)));
    if (data.points.length) items.push(pointsKey("its points"));
    this.legend.replaceChildren(...items);
  }

  destroy() {
    clearTimeout(this.resting);
    clearTimeout(this.asking);
    this.leaveFocus?.();
    this.withdraw?.();
    this.observer?.disconnect();
    this.lines?.destroy();
    this.scrubber?.stop();
    this.plot?.destroy();
  }
}

/** The place of the snapshot nearest to an outer step. @param {number[]} snapshots  @param {number} step */
function nearest(snapshots, step) {
  let best = 0;
  snapshots.forEach((s, i) => { if (Math.abs(s - step) < Math.abs(snapshots[best] - step)) best = i; });
  return best;
}
