/**
 * A line with marked bands and a handle. Python (source_line.py beside it) sends the data.
 *
 * @typedef {import("../kernel/base.js").Assets} Assets
 * @typedef {{low: number, high: number, label: string, color: import("../kernel/base.js").Colors}} Band
 * @typedef {import("../kernel/conversation.js").Told & {value: number, range: [number, number],
 *   ticks: import("../kernel/plot.js").Ticks, bands: Band[], draws: number[], drawsLabel: string, status: string,
 *   label: string, symbol: string, editable: boolean, handle: boolean, figure: string, nudge: string, assets: Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * The host element tells what is drawn: data-ready, data-version, data-drawn, data-value, data-settled (whether the server
 * has answered all that was done).
 */

import { loadStyle, make, mount, readTheme, say, set, svg } from "../kernel/base.js";
import { clamp } from "../kernel/formats.js";
import { Conversation } from "../kernel/conversation.js";
import { Nudge } from "../kernel/nudge.js";
import { bringsForward, shared } from "../kernel/shared.js";
import { followSize, mark } from "../kernel/stage.js";
import { Toolbar } from "../kernel/toolbar.js";

const HEIGHT = 74;
const LINE = 40; // y of the line
const EDGE = 16;

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new SourceLine(host));
}

class SourceLine {
  // From the first data on; the second half from when it is built.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Promise<void>} */ starting;
  /** @type {number} */ value;
  /** @type {HTMLElement} */ name;
  /** @type {HTMLElement} */ number;
  /** @type {HTMLElement} */ status;
  /** @type {HTMLElement} */ slider;
  /** @type {SVGElement} */ svg;
  /** @type {SVGElement} */ back;
  /** @type {SVGElement} */ handle;
  /** @type {Toolbar} */ toolbar;
  /** @type {Nudge} */ nudge;
  /** @type {ResizeObserver} */ observer;
  /** @type {() => void} */ unfollow;
  /** @type {number} */ width;
  /** @type {number} */ grip; // from the pointer to the handle's middle
  /** @type {?number} */ holding = null; // the pointer that has the handle
  /** @type {string} */ key;
  /** @type {boolean} */ keyed;
  /** @type {?number | undefined} */ before;
  /** @type {?number | undefined} */ told;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.conversation = new Conversation((message) => this.component.setStateValue("edit", message));
    this.drawn = 0;
  }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    if (!this.conversation.take(component.data)) return;
    this.data = component.data;
    if (this.svg) this.#take();
    else this.starting ??= this.#start();
  }

  async #start() {
    await loadStyle(this.component.root + this.data.assets.style);
    this.#build();
    this.#take();
    this.observer = followSize(this.slider, (width) => {
      this.width = width;
      this.theme = readTheme(this.host);
      this.#draw();
    });
  }

  #build() {
    this.name = make("span", { className: "md-line-name" });
    this.number = make("output", { className: "md-line-value" });
    this.status = make("span", { className: "md-line-status", "aria-live": "polite" });
    this.back = svg("g");
    this.handle = svg("g", { class: "md-handle" }, svg("circle", { r: 22, class: "md-reach" }), svg("circle", { r: 9 }));
    this.svg = svg("svg", { height: HEIGHT, "aria-hidden": "true" }, this.back, this.handle);
    this.nudge = new Nudge(this.data.page ?? "");
    this.slider = make("div", { className: "md-slider" }, this.svg);
    this.toolbar = new Toolbar((kind) => this.#press(kind));
    const head = make("div", { className: "md-line-head" }, this.name, this.number, this.status, this.toolbar.element);
    this.host.replaceChildren(make("div", { className: "md-source" }, head, make("div", { className: "md-line-room" }, this.slider, this.nudge.element)));
    this.host.style.minHeight = "";
    /** @type {import("../kernel/base.js").Listen} */
    const on = (name, what) => this.slider.addEventListener(name, what);
    on("pointerdown", (e) => this.#down(e));
    on("pointermove", (e) => this.holding === e.pointerId && this.#move(this.#at(e), false));
    on("pointerup", (e) => this.#up(e));
    on("pointercancel", (e) => this.#cancel(e));
    on("keydown", (e) => this.#key(e));
    on("keyup", () => this.keyed && this.#end());
    if (this.data.figure) this.#link(shared(this.data.figure));
  }

  /** Light the symbols of the text that it goes with, and be lit by them. @param {import("../kernel/shared.js").Shared} place */
  #link(place) {
    bringsForward(this.name, this.host, place, this.data.label);
    this.unfollow = place.follow(({ name }) => {
      if (name !== undefined) this.handle.classList.toggle("md-lit", name === this.data.label);
    });
  }

  #take() {
    const { data, conversation } = this;
    this.theme ??= readTheme(this.host);
    if (this.holding == null && !this.keyed) {
      const chosen = conversation.gestures.pending.findLast((gesture) => gesture.kind === "value");
      this.value = chosen?.value ?? data.value;
    }
    this.#draw();
    this.#drawToolbar();
    mark(this.host, { ready: true, version: data.ack, drawn: (this.drawn += 1) });
    conversation.rest(this.#busy);
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      this.theme = readTheme(this.host);
      this.#draw();
    }, 30);
  }

  get #busy() { return this.holding != null || this.keyed; }

  /** @param {import("../kernel/toolbar.js").Kind} kind */
  #press(kind) {
    this.nudge.over();
    this.conversation.gestures.add({ kind, final: true });
    this.#drawToolbar();
  }

  #drawToolbar() {
    const { data, conversation } = this;
    const waiting = !conversation.gestures.settled;
    this.host.dataset.settled = String(!waiting);
    this.toolbar.update({
      editable: data.editable, undo: data.undo || waiting, redo: data.redo || waiting, clear: false, fresh: "",
    });
  }

  #draw() {
    const { data, theme } = this;
    if (!this.width) return;
    this.slider.classList.toggle("md-editable", data.editable);
    set(this.slider, {
      role: "slider", tabindex: data.editable ? 0 : -1, "aria-label": data.label,
      "aria-valuemin": data.range[0], "aria-valuemax": data.range[1], "aria-disabled": !data.editable,
    });
    say(this.name, data.label);
    set(this.svg, { width: this.width });
    const key = JSON.stringify([data.range, data.ticks, data.bands, data.draws, data.drawsLabel, theme.key, this.width]);
    if (key !== this.key) {
      this.key = key;
      this.back.replaceChildren(...this.#bands(), ...this.#axis(), ...this.#draws());
    }
    this.#place();
    this.#drawNudge();
  }

  /** A ring around the handle; the sentence has the room between its band and the one before. */
  #drawNudge() {
    const { data: { nudge, bands }, value } = this;
    if (!nudge) {
      this.nudge.show(null);
      return;
    }
    const x = this.#x(value);
    const right = Math.min(x, ...bands.filter((band) => value <= band.high && value >= band.low).map((band) => this.#x(band.low)));
    const left = Math.max(0, ...bands.map((band) => this.#x(band.high)).filter((end) => end < right));
    this.nudge.show({ text: nudge, ring: [x, LINE], foot: [right - 8, LINE - 6], share: 1, room: right - left - 16 });
  }

  #bands() {
    return this.data.bands.flatMap((band) => {
      const [x, end] = [this.#x(band.low), this.#x(band.high)];
      const fill = this.theme.pick(band.color);
      return [
        svg("rect", { x, width: end - x, y: LINE - 13, height: 26, rx: 5, fill, opacity: 0.22 }),
        svg("rect", { x, width: end - x, y: LINE - 2, height: 4, fill }),
        svg("text", { x: (x + end) / 2, y: LINE - 20, "text-anchor": "middle", class: "md-band-name" }, band.label),
      ];
    });
  }

  #axis() {
    const [values, names] = this.data.ticks;
    const room = 30; // pixels a tick's text needs
    const every = Math.max(1, Math.ceil((room * values.length) / this.width));
    const line = svg("path", { class: "md-axis", d: `M${EDGE},${LINE}H${this.width - EDGE}` });
    return [line, ...values.flatMap((value, i) => {
      const x = this.#x(value);
      const mark = svg("path", { class: "md-tick", d: `M${x},${LINE - 4}V${LINE + 4}` });
      if (i % every) return [mark];
      return [mark, svg("text", { x, y: HEIGHT - 5, "text-anchor": "middle" }, names[i])];
    })];
  }

  #draws() {
    const { draws, drawsLabel } = this.data;
    return draws.map((value, i) => svg("circle", { class: "md-draw", cx: this.#x(value), cy: LINE, r: 4.5 },
      svg("title", {}, `${drawsLabel} ${i + 1}: ${value.toFixed(2)}`)));
  }

  /** @param {number} value */
  #x(value) {
    const [low, high] = this.data.range;
    return EDGE + ((value - low) / (high - low)) * (this.width - 2 * EDGE);
  }

  #place() {
    const { data, value } = this;
    this.handle.style.display = data.handle ? "" : "none";
    set(this.handle, { transform: `translate(${this.#x(value)},${LINE})` });
    const text = `${data.symbol} = ${value.toFixed(2).replace("-", "−")}`;
    say(this.number, data.handle ? text : "");
    say(this.status, data.status);
    set(this.slider, { "aria-valuenow": value.toFixed(4), "aria-valuetext": `${text}. ${data.status}` });
    this.host.dataset.value = String(value);
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const [low, high] = this.data.range;
    const px = event.clientX - this.slider.getBoundingClientRect().left;
    return low + ((px - EDGE) / (this.width - 2 * EDGE)) * (high - low);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.data.editable || !event.isPrimary || event.button !== 0) return;
    const at = this.#at(event);
    const onHandle = Math.abs(this.#x(at) - this.#x(this.value)) < 14;
    this.grip = onHandle ? this.value - at : 0; // no jump when the handle is taken beside its middle
    this.holding = event.pointerId;
    this.before = this.value;
    this.slider.setPointerCapture(event.pointerId);
    // A finger may be about to scroll the page: then wait for its first sideways move.
    if (event.pointerType !== "touch" && !onHandle) this.#move(at, false);
    this.slider.classList.add("md-dragging");
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.holding !== event.pointerId) return;
    this.#set(this.#at(event) + this.grip);
    this.#end();
  }

  /** The finger scrolls the page instead: nothing was chosen. @param {PointerEvent} event */
  #cancel(event) {
    if (this.holding !== event.pointerId) return;
    this.#set(this.before ?? this.value); // keys may have moved it meanwhile: there it stays
    this.#end();
  }

  /** @param {number} value  @param {boolean} final */
  #move(value, final) {
    this.#set(value + (this.grip ?? 0));
    this.#send(final);
  }

  /** @param {number} value */
  #set(value) {
    this.value = clamp(value, ...this.data.range);
    this.#place();
  }

  /** @param {boolean} final */
  #send(final) {
    this.nudge.over();
    this.told = final ? null : this.value;
    this.conversation.gestures.add({ kind: "value", value: this.value, final });
    this.#drawToolbar();
    this.conversation.rest(this.#busy);
  }

  #end() {
    this.holding = null;
    this.keyed = false;
    this.slider.classList.remove("md-dragging");
    const said = this.told !== null && this.told !== undefined;
    if (said || this.value !== this.before) this.#send(true);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.data.editable || event.ctrlKey || event.metaKey || event.altKey) return;
    const [low, high] = this.data.range;
    const step = (high - low) / 100;
    /** @type {Record<string, number | undefined>} */
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    /** @type {Record<string, number | undefined>} */
    const ends = { Home: low, End: high };
    const by = steps[event.key];
    const to = ends[event.key] ?? (by && this.value + by * (event.shiftKey ? 5 : 1) * step);
    if (to === undefined) return;
    event.preventDefault();
    this.keyed = true;
    this.before = null;
    this.#set(to);
    this.#send(false);
  }

  destroy() {
    clearTimeout(this.looking);
    this.conversation.destroy();
    this.observer?.disconnect();
    this.unfollow?.();
  }
}
