/**
 * A chart to draw a curve on, over points that are given. Python (sketch.py beside it) sends the data.
 *
 * @typedef {import("../kernel/plot.js").Curve} Curve
 * @typedef {import("./heights.js").Pair} Pair
 * @typedef {import("./heights.js").Heights} Heights
 * @typedef {import("./heights.js").Place} Place
 * @typedef {{ack: number, visit: string, session: string, view: string, page: string, undo: boolean, redo: boolean,
 *   editable: boolean, open: boolean, xRange: [number, number], yRange: [number, number],
 *   xTicks: ?import("../kernel/plot.js").Ticks, curves: Curve[], points: [number, number][], pointsLabel: string,
 *   drawing: Pair[], drawingLabel: string, knots: number, unit: number, caption: string, captionFacts: [string, string][],
 *   detail: string, label: string,
 *   height: number, assets: import("../kernel/base.js").Assets}} Data
 *
 * A stroke is sent when the pen is lifted: one gesture `draw` with the whole drawing.
 *
 * The host element tells what is drawn: data-ready, data-version, data-drawn, data-drawing, data-settled (whether the server
 * has answered all that was done).
 */

import { make, mount, readTheme, say, set, svg } from "../kernel/base.js";
import { Conversation } from "../kernel/conversation.js";
import { explained, tell } from "../kernel/explain.js";
import { clamp } from "../kernel/formats.js";
import { Plot } from "../kernel/plot.js";
import { followSize, lineMark, mark, pointsKey, start } from "../kernel/stage.js";
import { Toolbar } from "../kernel/toolbar.js";
import { dotted, filled, fromPairs, stroked, toPairs } from "./heights.js";

/** @param {import("../kernel/base.js").Component<Data>} component */
export default function render(component) {
  return mount(component, (host) => new Sketch(host));
}

class Sketch {
  // From the first data on; the second half from when it is built.
  /** @type {import("../kernel/base.js").Component<Data>} */ component;
  /** @type {Data} */ data;
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Promise<void>} */ starting;
  /** @type {Heights} */ heights;
  /** @type {HTMLElement} */ legend;
  /** @type {HTMLElement} */ canvas;
  /** @type {HTMLElement} */ stage;
  /** @type {HTMLElement} */ surface;
  /** @type {HTMLElement} */ now;
  /** @type {HTMLElement} */ small;
  /** @type {HTMLElement} */ clear;
  /** @type {SVGElement} */ svg;
  /** @type {SVGElement} */ through;
  /** @type {SVGElement} */ line;
  /** @type {SVGElement} */ beads;
  /** @type {SVGElement} */ dots;
  /** @type {Toolbar} */ toolbar;
  /** @type {Plot} */ plot;
  /** @type {ResizeObserver} */ observer;
  /** @type {?{id: number, at: Place, before: Heights}} */ pen = null; // the stroke that is going on
  /** @type {ReturnType<typeof setTimeout> | undefined} */ looking;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.conversation = new Conversation((message) => this.component.setStateValue("edit", message));
    this.drawn = 0;
  }

  /** @param {import("../kernel/base.js").Component<Data>} component */
  update(component) {
    this.component = component;
    if (!this.conversation.take(component.data)) return;
    this.data = component.data;
    if (this.stage) this.#takeWords();
    if (this.plot) this.#take();
    this.starting ??= start(component, {
      what: "The chart",
      show: () => {
        this.#build();
        this.#takeWords();
      },
      draw: (Plotly) => {
        this.plot = new Plot(this.canvas, Plotly);
        this.#take();
        this.stage.append(this.surface);
        this.stage.classList.add("md-drawn");
        this.observer = followSize(this.stage, (width, height) => {
          this.plot.size = [width, height];
          this.#drawPlot();
        });
      },
    });
  }

  get #editable() { return this.data.editable && this.data.open; }

  #build() {
    this.legend = make("div", { className: "md-legend" });
    this.toolbar = new Toolbar((kind) => this.#press(kind));
    this.clear = make("button", { type: "button", className: "md-button", title: "Wipe off the drawing" }, "Clear");
    this.clear.addEventListener("click", () => {
      if (this.clear.getAttribute("aria-disabled") !== "true") this.#press("clear");
    });
    this.toolbar.element.append(this.clear);
    set(this.toolbar.element, { "aria-label": "Drawing" });
    this.canvas = make("div", { className: "md-plot" });
    this.stage = make("div", { className: "md-stage" }, this.canvas);
    this.stage.style.setProperty("--md-height", `${this.data.height}px`);
    this.through = svg("path", { class: "md-through" });
    this.line = svg("path", { class: "md-drawn-line" });
    this.beads = svg("g", { class: "md-beads" });
    this.dots = svg("g");
    this.svg = svg("svg", { "aria-hidden": "true" }, this.through, this.line, this.beads, this.dots);
    this.surface = make("div", { className: "md-hands md-sketch", role: "img" }, this.svg);
    this.surface.addEventListener("pointerdown", (event) => this.#down(event));
    this.surface.addEventListener("pointermove", (event) => this.#move(event));
    this.surface.addEventListener("pointerup", (event) => this.#up(event));
    this.surface.addEventListener("pointercancel", () => this.#cancel());
    this.now = make("p", { className: "md-now", "aria-live": "polite" });
    this.small = make("p", { className: "md-small" });
    this.host.replaceChildren(make("div", { className: "md-chart" },
      make("div", { className: "md-top" }, this.legend, this.toolbar.element), this.stage,
      make("div", { className: "md-caption md-detailed" }, make("div", { className: "md-large" }, this.now), this.small)));
    this.host.style.minHeight = "";
  }

  /** What can be shown without Plotly. */
  #takeWords() {
    const { data } = this;
    this.theme ??= readTheme(this.host);
    this.#takeDrawing();
    this.#drawLegend();
    this.#drawToolbar();
    set(this.surface, { "aria-label": data.label });
    this.surface.classList.toggle("md-editable", this.#editable);
    tell(this.now, data.caption, data.captionFacts);
    say(this.small, data.detail);
  }

  /** The server's drawing, and on top of it what it has not answered; a stroke that is going on stays. */
  #takeDrawing() {
    const { data, conversation } = this;
    if (!this.#editable) this.pen = null;
    if (this.pen) return;
    const last = conversation.gestures.pending.findLast(({ kind }) => kind === "draw" || kind === "clear");
    this.heights = fromPairs(last ? last.drawing ?? [] : data.drawing, data.knots);
  }

  #take() {
    this.#drawPlot();
    mark(this.host, { ready: true, version: this.data.ack, drawn: (this.drawn += 1) });
    this.#changed();
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
  }

  #drawPlot() {
    this.plot.update(this.data, this.theme, 0);
    const { left, top, width, height } = this.plot.area;
    Object.assign(this.surface.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    set(this.svg, { width, height });
    this.#draw();
  }

  /** @param {"undo"|"redo"|"clear"|"new"} kind */
  #press(kind) {
    this.conversation.gestures.add({ kind, final: true });
    this.#takeDrawing();
    this.#changed();
    if (this.plot) this.#draw();
  }

  /** The drawing is another one, or has been answered. */
  #changed() {
    const { conversation } = this;
    mark(this.host, { drawing: JSON.stringify(toPairs(this.heights)), settled: conversation.gestures.settled });
    this.#drawToolbar();
    conversation.rest(this.pen !== null);
  }

  #drawToolbar() {
    const { data, conversation } = this;
    const waiting = !conversation.gestures.settled;
    const open = this.#editable; // if it is not, the buttons keep their place
    this.toolbar.update({
      editable: data.editable, undo: open && (data.undo || waiting), redo: open && (data.redo || waiting), clear: false, fresh: "",
    });
    set(this.clear, { "aria-disabled": !(open && this.heights.some((height) => height !== null)) });
  }

  #drawLegend() {
    const { data, theme } = this;
    const own = svg("svg", { width: 26, height: 12, "aria-hidden": "true", class: "md-sketch" },
      svg("path", { class: "md-drawn-line", d: "M1,6H25" }),
      svg("g", { class: "md-beads" }, ...[4, 13, 22].map((cx) => svg("circle", { cx, cy: 6, r: 2.5 }))));
    this.legend.replaceChildren(pointsKey(data.pointsLabel),
      make("span", { className: "md-key" }, own, make("span", {}, data.drawingLabel)),
      ...data.curves.map((curve) => explained(
        make("span", { className: "md-key" }, lineMark(curve, theme), make("span", {}, curve.label)), curve.about)));
  }

  #draw() {
    const { heights, data, plot } = this;
    /** @type {(knot: number, height: number) => [number, number]} */
    const pixels = (knot, height) => plot.toPixels(this.#x(knot), height * data.unit);
    const places = filled(heights).map((height, knot) => pixels(knot, height).map((v) => v.toFixed(1)).join());
    set(this.through, { d: places.length ? `M${places.join("L")}` : "M0,0" });
    const drawn = places.map((place, k) => (heights[k] === null ? "" : `${(heights[k - 1] ?? null) === null ? "M" : "L"}${place}`));
    set(this.line, { d: drawn.join("") || "M0,0" });
    this.beads.replaceChildren(...toPairs(heights).map(([knot, height]) => {
      const [cx, cy] = pixels(knot, height);
      return svg("circle", { cx, cy, r: 2.5 });
    }));
    this.dots.replaceChildren(...data.points.map(([x, y]) => {
      const [cx, cy] = plot.toPixels(x, y);
      return svg("circle", { cx, cy, r: 6.5, class: "md-dot" });
    }));
  }

  /** @param {number} knot */
  #x(knot) {
    const [low, high] = this.data.xRange;
    return low + (knot / (this.data.knots - 1)) * (high - low);
  }

  // --- the pen ---------------------------------------------------------------------------------------------------

  /** Where the pen is, in knots and in whole units of height. @param {PointerEvent} event  @returns {Place} */
  #at(event) {
    const { data, plot, surface } = this;
    const box = surface.getBoundingClientRect();
    const [x, y] = plot.toData(event.clientX - box.left, event.clientY - box.top);
    const [low, high] = data.xRange;
    return [((x - low) / (high - low)) * (data.knots - 1), clamp(y, ...data.yRange) / data.unit];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#editable || !event.isPrimary || event.button !== 0) return;
    const at = this.#at(event);
    this.pen = { id: event.pointerId, at, before: this.heights };
    this.surface.setPointerCapture(event.pointerId);
    this.heights = dotted(this.heights, at);
    this.#draw();
    this.#changed();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { pen } = this;
    if (pen?.id !== event.pointerId) return;
    const passed = event.getCoalescedEvents();
    for (const one of passed.length ? passed : [event]) {
      const to = this.#at(one);
      this.heights = stroked(this.heights, pen.at, to);
      pen.at = to;
    }
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.pen?.id !== event.pointerId) return;
    this.#move(event);
    this.pen = null;
    this.conversation.gestures.add({ kind: "draw", drawing: toPairs(this.heights), final: true });
    this.#changed();
  }

  /** The browser takes the pointer away: nothing was drawn. */
  #cancel() {
    if (!this.pen) return;
    this.heights = this.pen.before;
    this.pen = null;
    this.#draw();
    this.#changed();
  }

  destroy() {
    clearTimeout(this.looking);
    this.observer?.disconnect();
    this.conversation.destroy();
    this.plot?.destroy();
  }
}
