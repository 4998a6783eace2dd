/** A square to draw on: with a mouse, a finger or a pen, or by keys. */

import { make, set, svg } from "../kernel/base.js";
import { SIDE, pathOf, strokesOf, textOf } from "./strokes.js";

/** @typedef {import("./strokes.js").Point} Point */

const PAUSE = 100; // ms between two messages of a stroke, at least
const ROOM = SIDE + 1;
const TAP = 4; // how far a finger may slip in a tap

/**
 * @typedef {object} Hand  what a pad tells
 * @property {(text: string, final: boolean) => void} stroked  all of the stroke that is going on; "" if it came to nothing
 * @property {() => void} chosen  the visitor has turned to it
 * @property {(key: string) => boolean} key  a key was pressed on it; whether that meant something
 */

export class Pad {
  // The stroke that is going on; a tap that chooses the pad, or is on what is ready-made, is none.
  /** @type {?{id: number, points: Point[], sentAt: number, drawing: boolean}} */ pen = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;

  /** @param {Hand} hand  @param {string} help  id of what says which keys there are */
  constructor(hand, help) {
    this.hand = hand;
    this.editable = false;
    this.given = false;
    this.ink = svg("path");
    this.wet = svg("path");
    this.element = make("div", { className: "md-pad", role: "img" },
      svg("svg", { viewBox: `-4 -4 ${ROOM + 7} ${ROOM + 7}`, "aria-hidden": "true" }, this.ink, this.wet));
    this.help = help;
    /** @type {import("../kernel/base.js").Listen} */
    const on = (name, what, options) => this.element.addEventListener(name, what, options);
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#cancel(event));
    on("lostpointercapture", (event) => this.#cancel(event)); // after the pen was lifted it is nothing new
    on("focus", () => hand.chosen());
    on("keydown", (event) => this.#key(event));
    // Without this a browser may take a quick stroke for the beginning of a scroll, whatever touch-action says.
    on("touchstart", (event) => { if (this.editable) event.preventDefault(); }, { passive: false });
  }

  /** Whether a stroke is going on. */
  get busy() { return this.pen !== null; }

  /**
   * @param {string} drawing  as text
   * @param {string} label  what it is, in words
   * @param {boolean} editable
   * @param {boolean} given  whether it is ready-made, and gives way to the first stroke
   */
  show(drawing, label, editable, given) {
    this.editable = editable;
    this.given = given;
    if (!editable && this.pen) this.#end();
    set(this.ink, { d: pathOf(strokesOf(drawing)) });
    set(this.element, {
      tabindex: editable ? 0 : -1, role: editable ? "application" : "img", "aria-label": label,
      ...(editable ? { "aria-roledescription": "drawing pad", "aria-describedby": this.help } : {}),
    });
    this.element.classList.toggle("md-editable", editable);
  }

  /** @param {boolean} chosen */
  ring(chosen) { this.element.classList.toggle("md-chosen", chosen); }

  /** @param {PointerEvent} event  @returns {Point} */
  #at(event) {
    const box = this.element.getBoundingClientRect();
    /** @type {(from: number, length: number) => number} */
    const share = (from, length) => Math.min(Math.max((from / length) * (ROOM + 7) - 4, 0), SIDE);
    return [share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    // Beside a pen the palm is the first of its own kind: it takes nothing out of the hand.
    if (!this.editable || this.pen || !event.isPrimary || event.button !== 0) return;
    event.preventDefault(); // no text is selected, and the page keeps its place
    const drawing = this.element.classList.contains("md-chosen") && !this.given;
    this.element.setPointerCapture(event.pointerId);
    this.element.focus({ preventScroll: true });
    this.pen = { id: event.pointerId, points: [this.#at(event)], sentAt: performance.now(), drawing };
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { pen } = this;
    if (pen?.id !== event.pointerId) return;
    const passed = event.getCoalescedEvents();
    pen.points.push(...(passed.length ? passed : [event]).map((one) => this.#at(one)));
    pen.drawing ||= pen.points.some(([x, y]) => Math.hypot(x - pen.points[0][0], y - pen.points[0][1]) > TAP);
    this.#draw();
    if (pen.drawing) this.#soon();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const { pen } = this;
    if (pen?.id !== event.pointerId) return;
    pen.points.push(this.#at(event));
    this.#end();
    if (pen.drawing) this.hand.stroked(textOf(pen.points), true);
  }

  /** The browser takes the pointer away: nothing was drawn. @param {PointerEvent} event */
  #cancel(event) {
    if (this.pen?.id !== event.pointerId) return;
    const { drawing } = this.pen;
    this.#end();
    if (drawing) this.hand.stroked("", true);
  }

  #end() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.pen = null;
    this.#draw();
  }

  /** Tell of the stroke so far, now and then. */
  #soon() {
    const { pen } = this;
    if (!pen || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.pen !== pen) return;
      pen.sentAt = performance.now();
      this.hand.stroked(textOf(pen.points), false);
    }, Math.max(0, PAUSE - (performance.now() - pen.sentAt)));
  }

  #draw() {
    const drawing = this.pen?.drawing ? this.pen.points : null;
    set(this.wet, { d: drawing ? pathOf([drawing]) : "" });
    this.ink.style.visibility = drawing && this.given ? "hidden" : "";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.editable || this.pen || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const key = command ? `${event.shiftKey ? "Shift+" : ""}Ctrl+${event.key.toLowerCase()}` : event.key;
    if (!this.hand.key(key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  destroy() { clearTimeout(this.timer); }
}
