/**
 * The interactive chart. Python (chart.py beside it) sends the data; see there for what each field means.
 *
 * @typedef {import("../kernel/conversation.js").Told & import("../kernel/plot.js").PlotData & {page: string}
 *   & import("../kernel/gestures.js").Points & import("./points.js").Options
 *   & import("../kernel/caption.js").Words & {fresh: string, steps: number, pointsLabel: string,
 *   panels: import("../kernel/panels.js").PanelData[], key: string, follows: boolean, height: number, playSeconds: number, figure: boolean,
 *   stands: string[], nudge: ?{text: string, at: [x: number, y: number]},
 *   assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 * What goes back are gestures, see gestures.js, as the state value `edit`.
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-version (the last event the server
 * had carried out in the drawn data), data-drawn (counts drawn answers), data-step, data-points, data-settled (whether the
 * server has answered all that was done).
 */

import { make, mount, readTheme, say, svg } from "../kernel/base.js";
import { arrived, fromTheTop } from "../kernel/address.js";
import { Conversation } from "../kernel/conversation.js";
import { Caption } from "../kernel/caption.js";
import { explained } from "../kernel/explain.js";
import { Looks } from "./looks.js";
import { Nudge } from "../kernel/nudge.js";
import { Panels } from "../kernel/panels.js";
import { Plot } from "../kernel/plot.js";
import { offer } from "../kernel/pictures.js";
import { Points } from "./points.js";
import { Scrubber } from "../kernel/scrubber.js";
import { bringsForward, shared } from "../kernel/shared.js";
import { followSize, lineMark, mark, pointsKey, start } from "../kernel/stage.js";
import { Toolbar } from "../kernel/toolbar.js";

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Chart(host));
}

class Chart {
  // From the first data on; the second half from when it is built.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Promise<void>} */ starting;
  /** @type {HTMLElement} */ legend;
  /** @type {HTMLElement} */ note;
  /** @type {HTMLElement} */ canvas;
  /** @type {HTMLElement} */ stage;
  /** @type {Toolbar} */ toolbar;
  /** @type {Scrubber} */ scrubber;
  /** @type {Panels} */ panels;
  /** @type {Caption} */ caption;
  /** @type {import("../kernel/shared.js").Shared} */ shared;
  /** @type {Plot} */ plot;
  /** @type {Points} */ points;
  /** @type {Looks} */ looks;
  /** @type {Nudge} */ nudge;
  /** @type {ResizeObserver} */ observer;
  /** @type {() => void} */ unfollow;
  /** @type {() => void} */ withdraw;
  /** @type {string} */ legendKey;
  /** @type {number} */ height;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.conversation = new Conversation((message) => this.component.setStateValue("edit", message));
    this.drawn = 0;
    this.led = false; // by another chart's scrubber, and does not lead it in turn
  }

  /** A rerun: the server's data. The first one builds the chart, which takes a moment. @param {Component} component */
  update(component) {
    this.component = component;
    if (!this.conversation.take(component.data)) return;
    this.data = component.data;
    if (this.points) this.#take();
    else if (this.stage) this.#takeWords();
    this.starting ??= this.#start();
  }

  #start() {
    return start(this.component, {
      what: "The chart",
      show: () => {
        this.#build();
        this.#takeWords();
      },
      draw: async (Plotly) => {
        await visible(this.stage);
        this.plot = new Plot(this.canvas, Plotly);
        this.#take();
        if (!this.data.follows) this.withdraw = offer(this.data.page, () => this.#shown());
        this.observer = followSize(this.stage, (width, height) => {
          this.plot.size = [width, height];
          this.theme = readTheme(this.host);
          this.#drawPlot();
          this.#drawLegend();
          this.#drawBelow();
        });
      },
    });
  }

  #build() {
    this.legend = make("div", { className: "md-legend" });
    this.toolbar = new Toolbar((kind) => this.#press(kind));
    this.note = make("div", { className: "md-note", role: "status" });
    this.scrubber = new Scrubber((at, playing) => this.#show(at, playing));
    this.panels = new Panels((step) => {
      this.scrubber.stop();
      this.scrubber.go(step);
    });
    this.caption = new Caption();
    this.shared = shared(this.data.page);
    this.unfollow = this.shared.follow((news) => {
      this.#highlight(news);
      if (news.step !== undefined && this.arrived) this.#goWith(news.step);
      if (news.looks !== undefined) this.#look();
    });
    this.canvas = make("div", { className: "md-plot" });
    this.nudge = new Nudge(this.data.page);
    this.stage = make("div", { className: "md-stage" }, this.canvas, this.nudge.element, this.note);
    const chart = make("div", { className: this.data.figure ? "md-chart md-figure" : "md-chart" },
      make("div", { className: "md-top" }, this.legend, this.toolbar.element), this.stage,
      this.scrubber.element, this.caption.element, this.panels.element);
    this.host.replaceChildren(chart);
    this.host.style.minHeight = "";
    this.#setHeight();
  }

  /** What a picture of the chart holds. @returns {import("../kernel/pictures.js").Shown} */
  #shown() {
    const { data, plot, theme, points } = this;
    const step = Math.round(this.scrubber.at);
    const bands = data.curves.flatMap(({ band }) => (band ? [{ name: band.label, visible: true }] : []));
    const keys = [...bands, ...data.curves.map(({ label, legend }) => ({ name: fill(label, step), visible: legend }))];
    const when = data.stands[step] ?? (step ? fill("after {steps}", step) : "before any step");
    return { plot, theme, keys, points: points.list, pointsLabel: data.pointsLabel, when };
  }

  #setHeight() {
    if (this.height === this.data.height) return;
    this.height = this.data.height;
    this.stage.style.setProperty("--md-height", `${this.height}px`);
  }

  /** What can be shown without Plotly. */
  #takeWords() {
    const { data, scrubber } = this;
    this.theme ??= readTheme(this.host);
    this.#setHeight();
    scrubber.update({ steps: data.steps, names: data.stands, seconds: data.playSeconds });
    this.#drawLegend();
    this.#drawToolbar();
    this.#drawBelow();
    this.caption.update(data);
    if (!this.arrived) this.#arrive();
    this.#show(scrubber.at, scrubber.playing);
  }

  /** Show what the address says beside the view. */
  #arrive() {
    this.arrived = true;
    if (this.data.follows) {
      this.#goWith(this.shared.values.step ?? this.data.steps);
      return;
    }
    if (this.data.figure) return;
    fromTheTop(this.data.page);
    const { at, front } = arrived(this.data.page);
    if (at !== null) this.scrubber.go(at);
    if (front !== null && this.shared.pinned !== front) this.shared.pin(front);
  }

  /** Stand where another chart of the page stands. @param {number} step */
  #goWith(step) {
    if (step === this.scrubber.at) return;
    this.led = true;
    this.scrubber.stand(step);
    this.led = false;
  }

  #take() {
    const { data } = this;
    this.#drawPlot();
    this.points.update(data);
    this.points.take({ points: data.points, example: data.example });
    this.#takeWords();
    mark(this.host, { ready: true, version: data.ack, drawn: (this.drawn += 1) });
    this.#markPoints();
    this.conversation.rest(this.points.busy);
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.#followTheme(), 30);
  }

  /** Reading styles takes its time, so it comes after the answer is drawn. */
  #followTheme() {
    const theme = readTheme(this.host);
    if (theme.key === this.theme.key) return;
    this.theme = theme;
    this.#drawPlot();
    this.#drawLegend();
    this.#drawBelow();
  }

  #drawPlot() {
    const moved = this.plot.update(this.data, this.theme, this.scrubber.at);
    if (!this.points) {
      this.points = new Points(this.plot, this.conversation.gestures, () => this.#changed(),
        (kind) => this.#press(kind), (text) => this.#tell(text));
      this.points.options = this.data;
      this.looks = new Looks(this.plot);
      this.stage.insertBefore(this.looks.element, this.note);
      this.stage.insertBefore(this.points.element, this.note);
      this.stage.addEventListener("pointermove", (event) => this.#point(event));
      this.stage.classList.add("md-drawn");
    }
    if (moved) this.points.place();
    this.#look();
    this.#drawNudge();
  }

  /** Where another component says that the curve looks. */
  #look() { this.looks?.show(this.shared.values.looks, this.data.points, this.scrubber.at); }

  /** Tell that component where the pointer is. @param {PointerEvent} event */
  #point(event) {
    if (!this.shared.values.looks) return;
    const [x] = this.plot.toData(event.clientX - this.points.element.getBoundingClientRect().left, 0);
    this.shared.set({ place: x });
  }

  #drawNudge() {
    const { plot, data: { nudge } } = this;
    if (!nudge) {
      this.nudge.show(null);
      return;
    }
    const { left, top, width } = plot.area;
    const [x, y] = plot.toPixels(...nudge.at);
    this.nudge.show({
      text: nudge.text, ring: [left + x, top + y], foot: [left + x, top + y - 20], share: x / width, room: width,
    });
  }

  /** The visitor changed the points. */
  #changed() {
    this.nudge.over();
    this.#markPoints();
    this.#drawToolbar();
    this.conversation.rest(this.points.busy);
    if (this.note.textContent) this.#tell("");
  }

  /** A button beside the chart. @param {import("../kernel/toolbar.js").Kind} kind */
  #press(kind) {
    this.conversation.gestures.add({ kind, final: true });
    this.points?.take(this.points.known);
    if (this.points) this.#changed();
  }

  #drawToolbar() {
    const { data, conversation } = this;
    const waiting = !conversation.gestures.settled;
    this.toolbar.update({
      editable: data.editable,
      undo: data.undo || waiting,
      redo: data.redo || waiting,
      clear: (this.points?.list ?? data.points).length > 0 || waiting,
      fresh: data.fresh,
    });
  }

  /** Everything that follows the scrubber. @param {number} at  @param {boolean} playing */
  #show(at, playing) {
    const { data } = this;
    const step = Math.round(at);
    if (this.points) {
      this.plot.show(at);
      this.#look();
    }
    this.panels.show(at);
    if (!this.led) this.shared.set({ step: at });
    this.caption.show(step, playing);
    for (const item of this.#keys) {
      if (item.dataset.label) say(/** @type {Node} */ (item.lastChild), fill(item.dataset.label, step));
    }
    if (!data.follows) {
      this.shared.set({ at: step < data.steps ? String(step) : "", stands: data.steps > 1 ? data.stands[step] ?? `step ${step} of ${data.steps}` : "" });
    }
    mark(this.host, { step });
    this.#describe(step);
  }

  /** What is drawn, in words: of each curve what the legend says, and how many points. @param {number} step */
  #describe(step) {
    const { data, points, caption } = this;
    if (!points) return;
    const shown = data.curves.flatMap(({ label, legend, band }) => [...legend ? [fill(label, step)] : [], ...band ? [band.label] : []]);
    if (data.pointsLabel && (data.editable || points.list.length)) shown.push(`${data.pointsLabel}: ${points.list.length}`);
    points.describe(`${data.label}: ${shown.join(", ")}.`, caption.now.id);
  }

  #drawBelow() {
    const { data, theme } = this;
    this.panels.update(data.panels, data.steps, theme, data.figure ? this.shared : null);
  }

  #drawLegend() {
    const { data, theme } = this;
    const shown = data.curves.filter((c) => c.legend);
    const key = JSON.stringify([theme.key, data.pointsLabel, data.points.length > 0 || data.editable, data.steps,
      data.figure, data.panels.some((panel) => panel.series.length > 1), data.curves.map((c) => [c.legend, c.label, c.about, c.color, c.dash, c.width, c.opacity, c.band?.label])]);
    if (key === this.legendKey) return;
    this.legendKey = key;
    const several = data.figure || data.panels.some((panel) => panel.series.length > 1);
    const items = shown.map((curve) => {
      const name = make("span", {}, fill(curve.label, Math.round(this.scrubber.at)));
      name.dataset.widest = fill(curve.label, Math.max(data.steps, 2)); // room for it, so nothing moves
      const item = make(several ? "button" : "span", { className: "md-key" },
        lineMark(curve, theme), name);
      item.dataset.label = curve.label;
      explained(item, curve.about);
      if (several) {
        Object.assign(item, { type: "button", className: "md-key md-name" });
        bringsForward(item, item, this.shared, curve.label);
      }
      return item;
    });
    for (const { band, color } of data.curves) if (band) items.push(bandKey(band, theme.pick(color)));
    if (data.pointsLabel && (data.editable || data.points.length)) items.push(this.#pointsKey());
    this.legend.replaceChildren(...items);
    this.#highlight(this.shared.values);
  }

  #pointsKey() {
    const { figure, pointsLabel } = this.data;
    if (!figure) return pointsKey(pointsLabel);
    const key = make("button", { type: "button", className: "md-key md-name" }, ...pointsKey(pointsLabel).children);
    key.dataset.label = pointsLabel;
    bringsForward(key, key, this.shared, pointsLabel);
    return key;
  }

  /** The keys of the legend. @returns {HTMLElement[]} */
  get #keys() { return /** @type {HTMLElement[]} */ ([...this.legend.children]); }

  /** Bring the curve and the series of a learner forward. @param {import("../kernel/shared.js").Values} news */
  #highlight({ name, pinned }) {
    if (name === undefined && pinned === undefined) return;
    const { values } = this.shared;
    this.plot?.highlight(values.name ?? null);
    this.panels.highlight(values.name ?? null);
    this.points?.light(values.name === this.data.pointsLabel);
    for (const item of this.#keys) {
      item.classList.toggle("md-front", item.dataset.label === values.name);
      if (item.matches("button")) item.setAttribute("aria-pressed", String(item.dataset.label === values.pinned));
    }
  }

  /** @param {string} text */
  #tell(text) {
    clearTimeout(this.telling);
    say(this.note, text);
    if (text) this.telling = setTimeout(() => say(this.note, ""), 6000);
  }

  #markPoints() {
    this.#describe(Math.round(this.scrubber.at));
    mark(this.host, { points: JSON.stringify(this.points.list), settled: this.conversation.gestures.settled });
  }

  destroy() {
    this.observer?.disconnect();
    this.unfollow?.();
    this.withdraw?.();
    this.scrubber?.stop();
    this.points?.destroy();
    clearTimeout(this.looking);
    this.conversation.destroy();
    this.plot?.destroy();
  }
}

/** "after {steps}" -> "after 1 step", "after 5 steps"; "{points}" likewise; "{step}" -> "5". @type {(label: string, step: number) => string} */
function fill(label, step) {
  /** @param {string} name */
  const count = (name) => `${step} ${name}${step === 1 ? "" : "s"}`;
  return label.replaceAll("{steps}", count("step")).replaceAll("{points}", count("point")).replaceAll("{step}", String(step));
}

/** The key of a band in the legend. @param {import("../kernel/plot.js").Band} band  @param {string} color */
function bandKey({ label, opacity, about }, color) {
  const area = svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, svg("rect", { width: 26, height: 12, fill: color, opacity }));
  const key = make("span", { className: "md-key" }, area, make("span", {}, label));
  explained(key, about);
  return key;
}

/** Wait until an element has a width (it may sit in a closed tab or expander). @param {HTMLElement} element */
function visible(element) {
  if (element.clientWidth) return Promise.resolve();
  return new Promise((/** @type {(value?: unknown) => void} */ done) => {
    const observer = followSize(element, () => {
      observer.disconnect();
      done();
    });
  });
}
