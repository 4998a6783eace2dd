/**
 * The interactive chart. Python (metademo/ui/chart.py) sends the data; see there for what each field means.
 *
 * @typedef {[light: string, dark: string]} Colors
 * @typedef {{name: string, label: string, color: Colors, dash: string, width: number, opacity: number,
 *   legend: boolean, rows: number, start: number, unit: number, y: string}} Curve
 * @typedef {{label: string, color: Colors, dash: string, values: (number|null)[]}} Series
 * @typedef {{title: string, log: boolean, note: string, series: Series[]}} Panel
 * @typedef {{ack: number, epoch: number, steps: number, step: number, stepNames: string[],
 *   xRange: number[], yRange: number[], grid: number[], xTicks: ?Array, yTicks: ?Array, curves: Curve[],
 *   points: [number, number][], pointsLabel: string, maxPoints: number, editable: boolean, snap: ?number[],
 *   captions: string[], details: string[], panels: Panel[], height: number, label: string, message: string,
 *   playSeconds: number, assets: {plotly: string}}} Data
 * @typedef {{kind: "add"|"move"|"remove", points: [number, number][], step: number, epoch: number,
 *   final: boolean, seq: number}} Event  what goes back, as the state value `edit`
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-version (the last event the server
 * had seen in the drawn data), data-drawn (counts drawn answers), data-epoch, data-step, data-points.
 */

import { Channel, DASHES, loadPlotly, loadStyle, make, mount, readTheme, say, svg } from "./base.js";
import { Panels } from "./panels.js";
import { Plot } from "./plot.js";
import { Points } from "./points.js";
import { Scrubber } from "./scrubber.js";

export default function render(component) {
  return mount(component, (host) => new Chart(host));
}

class Chart {
  constructor(host) {
    this.host = host;
    this.channel = new Channel((event) => this.component.setStateValue("edit", event));
    this.drawn = 0;
  }

  /** A rerun: the server's data. The first one builds the chart, which takes a moment. */
  update(component) {
    this.component = component;
    /** @type {Data} */
    this.data = component.data;
    if (this.points) this.#take();
    else this.starting ??= this.#start();
  }

  async #start() {
    const { root, data } = this.component;
    const style = loadStyle(root + data.assets.style);
    try {
      const [Plotly] = await Promise.all([loadPlotly(root + data.assets.plotly), style]);
      this.#build(Plotly);
      await visible(this.stage);
      this.#take();
      this.#watch();
    } catch (error) {
      console.warn("metademo:", error);
      this.host.replaceChildren(make("p", { className: "md-failure", role: "alert" },
        "The chart could not be drawn: its drawing library did not load. Please reload the page."));
    }
  }

  #build(Plotly) {
    this.legend = make("div", { className: "md-legend" });
    const canvas = make("div", { className: "md-plot" });
    this.note = make("div", { className: "md-note", role: "status" });
    this.plot = new Plot(canvas, Plotly);
    this.scrubber = new Scrubber((at, playing) => this.#show(at, playing));
    this.panels = new Panels((step) => {
      this.scrubber.stop();
      this.scrubber.go(step);
    });
    this.caption = new Caption();
    this.stage = make("div", { className: "md-stage" }, canvas, this.note);
    const chart = make("div", { className: "md-chart" },
      this.legend, this.stage, this.scrubber.element, this.caption.element, this.panels.element);
    this.host.replaceChildren(chart);
    this.host.style.minHeight = "";
    this.stage.style.setProperty("--md-height", `${this.data.height}px`);
  }

  /** Follow the width of the page. */
  #watch() {
    this.observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.resizing);
      this.resizing = requestAnimationFrame(() => {
        if (!this.stage.clientWidth) return;
        this.#drawPlot();
        this.panels.resize();
      });
    });
    this.observer.observe(this.stage);
  }

  #take() {
    if (!this.stage?.clientWidth) return; // hidden: the observer draws it later
    const { data, channel, scrubber } = this;
    this.theme = readTheme(this.host);
    this.stage.style.setProperty("--md-height", `${data.height}px`);
    scrubber.update({ steps: data.steps, names: data.stepNames, seconds: data.playSeconds });
    if (data.step !== this.wantedStep) {
      this.wantedStep = data.step;
      scrubber.stop();
      scrubber.go(data.step);
    }
    const fresh = data.epoch !== this.epoch;
    channel.answered(data.ack);
    if (fresh) channel.reset();
    this.epoch = data.epoch;
    this.#drawPlot();
    if (fresh || (channel.settled && !this.points.busy)) this.points.take(data.points);
    this.points.update(data);
    this.#drawLegend();
    this.panels.update(data.panels, data.steps, this.theme);
    this.caption.update(data.captions, data.details);
    if (data.message !== this.message) this.#tell(this.message = data.message);
    this.#show(scrubber.at, scrubber.playing);
    this.#mark({ ready: true, version: data.ack, epoch: data.epoch, drawn: (this.drawn += 1) });
    this.#markPoints();
  }

  #drawPlot() {
    const moved = this.plot.update(this.data, this.theme, this.scrubber.at);
    if (!this.points) {
      this.points = new Points(this.plot, (kind, final) => this.#changed(kind, final), (text) => this.#tell(text));
      this.points.options = this.data;
      this.stage.insertBefore(this.points.element, this.note);
    }
    if (moved) this.points.place();
  }

  /** The visitor changed the points: tell the server. */
  #changed(kind, final) {
    const { points, channel, scrubber } = this;
    const event = { kind, points: points.list.map(([x, y]) => [x, y]), step: Math.round(scrubber.at), epoch: this.epoch };
    channel.send(event, final);
    this.#markPoints();
    if (this.note.textContent) this.#tell("");
  }

  /** Everything that follows the scrubber. */
  #show(at, playing) {
    if (!this.points) return;
    const step = Math.round(at);
    this.plot.show(at);
    this.panels.show(at);
    this.caption.show(step, playing);
    for (const item of this.legend.children) {
      if (item.dataset.label) say(item.lastChild, fill(item.dataset.label, step));
    }
    this.#mark({ step });
  }

  #drawLegend() {
    const { data, theme } = this;
    const shown = data.curves.filter((c) => c.legend);
    const key = JSON.stringify([theme.key, data.pointsLabel, data.points.length > 0 || data.editable, data.steps,
      shown.map((c) => [c.label, c.color, c.dash, c.width, c.opacity])]);
    if (key === this.legendKey) return;
    this.legendKey = key;
    const items = shown.map((curve) => {
      const line = svg("path", {
        d: "M1,6H25", stroke: theme.pick(curve.color), "stroke-width": Math.min(curve.width, 4),
        "stroke-dasharray": DASHES[curve.dash] ?? "", opacity: Math.max(curve.opacity, 0.5),
      });
      const name = make("span", {}, fill(curve.label, Math.round(this.scrubber.at)));
      name.dataset.widest = fill(curve.label, Math.max(data.steps, 2)); // room for it, so nothing moves
      const item = make("span", { className: "md-key" }, svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, line), name);
      item.dataset.label = curve.label;
      return item;
    });
    if (data.pointsLabel && (data.editable || data.points.length)) {
      const dot = svg("circle", { cx: 7, cy: 7, r: 5, class: "md-dot" });
      items.push(make("span", { className: "md-key" },
        svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, dot), make("span", {}, data.pointsLabel)));
    }
    this.legend.replaceChildren(...items);
  }

  #tell(text) {
    clearTimeout(this.telling);
    say(this.note, text);
    if (text) this.telling = setTimeout(() => say(this.note, ""), 6000);
  }

  #markPoints() { this.#mark({ points: JSON.stringify(this.points.list) }); }

  #mark(state) {
    for (const [name, value] of Object.entries(state)) {
      if (this.host.dataset[name] !== String(value)) this.host.dataset[name] = value;
    }
  }

  destroy() {
    this.observer?.disconnect();
    this.scrubber?.stop();
    this.points?.destroy();
    this.plot?.destroy();
  }
}

/** The sentence under the chart. Room is kept for the longest one, so that nothing below moves. */
class Caption {
  constructor() {
    this.now = make("p", { className: "md-now", "aria-live": "polite", "aria-atomic": "true" });
    this.small = make("p", { className: "md-small" });
    this.room = make("div", { className: "md-room", "aria-hidden": "true" });
    this.smallRoom = make("div", { className: "md-room", "aria-hidden": "true" });
    this.element = make("div", { className: "md-caption" },
      make("div", { className: "md-stack md-large" }, this.room, this.now),
      make("div", { className: "md-stack" }, this.smallRoom, this.small));
  }

  update(captions, details) {
    const key = JSON.stringify([captions, details]);
    if (key === this.key) return;
    Object.assign(this, { key, captions, details });
    this.element.hidden = captions.length + details.length === 0;
    this.room.replaceChildren(...captions.map((text) => make("p", {}, text)));
    this.smallRoom.replaceChildren(...details.map((text) => make("p", {}, text)));
    this.smallRoom.parentElement.hidden = details.length === 0;
  }

  show(step, playing) {
    if (!this.captions) return;
    const pick = (texts) => texts[Math.min(step, texts.length - 1)] ?? "";
    this.now.setAttribute("aria-live", playing ? "off" : "polite");
    say(this.now, pick(this.captions));
    say(this.small, pick(this.details));
  }
}

/** "after {steps}" -> "after 1 step", "after 5 steps"; "{step}" -> "5". */
function fill(label, step) {
  return label.replaceAll("{steps}", step === 1 ? "1 step" : `${step} steps`).replaceAll("{step}", step);
}

/** Wait until an element has a width (it may sit in a closed tab or expander). */
function visible(element) {
  if (element.clientWidth) return Promise.resolve();
  return new Promise((done) => {
    const observer = new ResizeObserver(() => {
      if (!element.clientWidth) return;
      observer.disconnect();
      done();
    });
    observer.observe(element);
  });
}
