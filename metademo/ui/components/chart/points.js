/** The visitor's points over the plot: mouse, touch and keys in, a list of points out. */

import { make, say, set, svg, uniqueId } from "../kernel/base.js";
import { clamp } from "../kernel/formats.js";
import { carriedOut, find } from "../kernel/gestures.js";
import { ARROWS, Clicks, drags, inReach, middle, spell } from "./pointing.js";

const SLIP = 12; // a click may slip by so much and still place a point

const KEYS = "Arrow keys move a cross-hair, with Shift in bigger steps. Enter or Space places a point. "
  + "Square brackets go from point to point: then arrow keys move it and Delete removes it. Escape lets go.";

/**
 * @typedef {import("../kernel/gestures.js").Point} Point
 * @typedef {{editable: boolean, maxPoints: number, snap: string, label: string, xRange: [number, number],
 *   yRange: [number, number]}} Options
 * @typedef {{px: number, py: number, kind: string}} Pointer  in pixels of the plot
 * @typedef {{id: number, at: ?Point, before: ?Point, px: number, py: number, from: Point, moved: boolean,
 *   far?: boolean}} Hold  a press: of which pointer, on which point, where it began
 */

export class Points {
  // See #build.
  /** @type {HTMLElement} */ element;
  /** @type {SVGElement} */ svg;
  /** @type {SVGElement} */ dots;
  /** @type {SVGElement} */ ghost;
  /** @type {SVGElement} */ ring;
  /** @type {SVGElement} */ lines;
  /** @type {HTMLElement} */ help;
  /** @type {HTMLElement} */ spoken;
  /** @type {(event: KeyboardEvent) => void} */ outside;

  /**
   * @param {import("../kernel/plot.js").Plot} plot
   * @param {import("../kernel/gestures.js").Gestures} gestures
   * @param {() => void} changed  told after each gesture
   * @param {(kind: "undo"|"redo") => void} pressed
   * @param {(text: string) => void} note
   */
  constructor(plot, gestures, changed, pressed, note) {
    this.plot = plot;
    this.gestures = gestures;
    this.changed = changed;
    this.pressed = pressed;
    this.note = note;
    /** @type {import("../kernel/gestures.js").Points} the server's */
    this.known = { points: [], example: false };
    /** @type {Point[]} those that are shown: the server's, and what was done since */
    this.list = [];
    this.example = false; // whether those are an example, placed by the server
    /** @type {Options} */
    this.options = { editable: false, maxPoints: 0, snap: "", label: "", xRange: [0, 1], yRange: [0, 1] };
    /** @type {?Hold} */
    this.hold = null; // the press that is going on
    /** @type {?Pointer} */
    this.pointer = null; // where the mouse is
    this.hovered = -1;
    /** @type {?Point} */
    this.chosen = null; // the point that the keyboard moves
    this.keyed = false; // whether it has been moved since the last final gesture
    /** @type {?Point} */
    this.cross = null; // the keyboard's cross-hair, in data coordinates
    this.clicks = new Clicks();
    this.#build();
  }

  /** Whether the visitor has a point in hand. */
  get busy() { return Boolean(this.hold) || this.keyed; }

  /** @param {Options} options */
  update(options) {
    this.options = options;
    const { editable } = options;
    set(this.element, { tabindex: editable ? 0 : -1, role: editable ? "application" : "img" });
    this.element.classList.toggle("md-editable", editable);
    if (!editable) this.#letGo();
    this.place();
  }

  /** Bring the points forward, or let them be. @param {boolean} lit */
  light(lit) { this.element.classList.toggle("md-lit", lit); }

  /**
   * Tell a screen reader what is drawn.
   * @param {string} text
   * @param {string} sentence  id of what is said about it
   */
  describe(text, sentence) {
    const { editable } = this.options;
    set(this.element, {
      "aria-label": editable ? `${text} Click to add a point.` : text,
      "aria-describedby": editable ? `${sentence} ${this.help.id}` : sentence,
    });
  }

  /**
   * Take the server's points. A press that is going on stays, and so does all that is not answered yet.
   * @param {import("../kernel/gestures.js").Points} known
   */
  take(known) {
    this.known = known;
    this.#carryOut();
    this.draw();
  }

  #carryOut() {
    const { gestures, options, pointer } = this;
    const now = carriedOut(this.known, gestures.pending, options.maxPoints || Infinity);
    this.list = now.points;
    this.example = now.example;
    if (this.chosen && !this.keyed && find(this.list, this.chosen) < 0) this.chosen = null;
    this.hovered = pointer && !this.hold ? this.#near(pointer.px, pointer.py, pointer.kind) : -1;
  }

  /** What the visitor does: shown at once, and sent. @param {Omit<import("../kernel/gestures.js").Gesture, "seq">} gesture */
  #do(gesture) {
    this.gestures.add(gesture);
    this.#carryOut();
    this.changed();
  }

  /** Lie exactly over the plot area. */
  place() {
    const { left, top, width, height } = this.plot.area;
    Object.assign(this.element.style, {
      left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
    });
    set(this.svg, { width, height });
    this.draw();
  }

  draw() {
    const { width, height } = this.plot.area;
    const selected = this.chosen ? find(this.list, this.chosen) : -1;
    const held = this.hold?.at ? find(this.list, this.hold.at) : -1;
    while (this.dots.children.length > this.list.length) this.dots.lastChild?.remove();
    while (this.dots.children.length < this.list.length) this.dots.append(svg("circle"));
    this.list.forEach(([x, y], i) => {
      const [cx, cy] = this.plot.toPixels(x, y);
      const active = i === selected || i === this.hovered || i === held;
      set(this.dots.children[i], { cx, cy, r: active ? 8.5 : 6.5, class: active ? "md-dot md-active" : "md-dot" });
    });
    const chosen = this.list[selected];
    this.ring.style.display = chosen ? "" : "none";
    if (chosen) {
      const [cx, cy] = this.plot.toPixels(...chosen);
      set(this.ring, { cx, cy });
    }
    this.lines.style.display = this.cross && !chosen ? "" : "none";
    if (this.cross) {
      const [x, y] = this.plot.toPixels(...this.cross);
      set(this.lines, { d: `M${x},0V${height}M0,${y}H${width}` });
    }
  }

  #build() {
    this.dots = svg("g");
    this.ghost = svg("circle", { r: 6.5, class: "md-ghost" });
    this.ring = svg("circle", { r: 13, class: "md-ring" });
    this.lines = svg("path", { class: "md-cross" });
    this.svg = svg("svg", { "aria-hidden": "true" }, this.lines, this.ghost, this.dots, this.ring);
    this.help = make("span", { className: "md-unseen", id: uniqueId("md-keys") }, KEYS);
    this.spoken = make("span", { className: "md-unseen", "aria-live": "polite" });
    this.element = make("div", { className: "md-hands" }, this.svg, this.help, this.spoken);
    /** @type {import("../kernel/base.js").Listen} */
    const on = (name, what, options) => this.element.addEventListener(name, what, options);
    on("pointerdown", (e) => this.#down(e));
    on("pointermove", (e) => this.#move(e));
    on("pointerup", (e) => this.#up(e));
    on("pointercancel", () => this.#cancel());
    on("pointerleave", () => {
      this.pointer = null;
      this.#hover(-1, null);
    });
    on("dblclick", (e) => e.preventDefault());
    on("keydown", (e) => this.#key(e));
    on("keyup", (e) => e.key.startsWith("Arrow") && this.#endKeyMove());
    on("blur", () => this.#letGo());
    // A finger on a point drags it; anywhere else it scrolls the page.
    on("touchstart", (e) => {
      const [px, py] = this.#at(e.touches[0]);
      if (this.options.editable && e.touches.length === 1 && this.#near(px, py, "touch") >= 0) e.preventDefault();
    }, { passive: false });
    this.outside = (e) => this.#keyOutside(e);
    document.addEventListener("keydown", this.outside);
    this.ghost.style.display = "none";
  }

  destroy() { document.removeEventListener("keydown", this.outside); }

  // --- pointer -------------------------------------------------------------------------------------------------

  /** @param {{clientX: number, clientY: number}} event  @returns {Point} */
  #at(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Index of the nearest point in reach, or -1. @type {(px: number, py: number, kind: string) => number} */
  #near(px, py, kind) {
    return inReach(this.list.map(([x, y]) => this.plot.toPixels(x, y)), px, py, kind);
  }

  /** Data coordinates of a pixel, within the axes and on the curve that points snap to. @param {number} px  @param {number} py */
  #pointAt(px, py) {
    const [x, y] = this.plot.toData(px, py);
    return this.#fit(x, y);
  }

  /** The nearest place that a point may have. @type {(x: number, y: number) => Point} */
  #fit(x, y) {
    const { xRange, yRange, snap } = this.options;
    const inside = clamp(x, ...xRange);
    const target = snap ? this.plot.height(snap, inside) : y;
    return [inside, clamp(target, ...yRange)];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.options.editable || !event.isPrimary || event.button !== 0) return;
    const [px, py] = this.#at(event);
    const place = this.#near(px, py, event.pointerType);
    this.#endKeyMove();
    this.chosen = null;
    this.cross = null;
    const at = place >= 0 ? this.list[place] : null;
    /** @type {Point} */
    const from = at ? this.plot.toPixels(...at) : [px, py];
    this.hold = { id: event.pointerId, at, before: at, px, py, from, moved: false };
    if (at) this.element.setPointerCapture(event.pointerId);
    this.element.classList.toggle("md-dragging", place >= 0);
    this.hovered = -1;
    this.#ghost(null);
    this.draw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const [px, py] = this.#at(event);
    const { hold } = this;
    if (!hold || event.pointerId !== hold.id) {
      if (event.pointerType === "touch") return;
      this.pointer = { px, py, kind: event.pointerType };
      this.#hover(this.#near(px, py, event.pointerType), [px, py]);
      return;
    }
    if (drags(Math.hypot(px - hold.px, py - hold.py), event.pointerType)) hold.far = true;
    if (!hold.at || !hold.far) return;
    hold.moved = true;
    this.#moveHeld(this.#pointAt(hold.from[0] + px - hold.px, hold.from[1] + py - hold.py), false);
  }

  /** @param {?Point} to  @param {boolean} final */
  #moveHeld(to, final) {
    if (!this.hold?.at || !to) return;
    const { at } = this.hold;
    this.hold.at = to;
    this.#do({ kind: "move", at, to, final });
    this.draw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const { hold } = this;
    if (!hold || event.pointerId !== hold.id) return;
    const [px, py] = this.#at(event);
    if (hold.moved) this.#moveHeld(hold.at, true);
    this.hold = null;
    this.element.classList.remove("md-dragging");
    if (event.pointerType !== "touch") this.pointer = { px, py, kind: event.pointerType };
    if (!hold.moved && !this.clicks.second(hold.px, hold.py)) {
      // An example makes way for the first click, wherever it is.
      if (hold.at && !this.example) this.#remove(hold.at);
      else if (Math.hypot(px - hold.px, py - hold.py) <= SLIP) this.#add(this.#pointAt(hold.px, hold.py));
    }
    this.hovered = event.pointerType === "touch" ? -1 : this.#near(px, py, event.pointerType);
    this.draw();
  }

  #cancel() {
    if (this.hold?.moved) this.#moveHeld(this.hold.at, true);
    this.hold = null;
    this.element.classList.remove("md-dragging");
    this.draw();
  }

  /** @param {number} index  @param {?Point} at */
  #hover(index, at) {
    if (!this.options.editable) return;
    if (index !== this.hovered) {
      this.hovered = index;
      this.element.classList.toggle("md-on-point", index >= 0);
      this.draw();
    }
    this.#ghost(index < 0 && at ? at : null);
  }

  /** Show where a click would place a point. @param {?Point} at */
  #ghost(at) {
    this.ghost.style.display = at ? "" : "none";
    if (!at) return;
    const [cx, cy] = this.plot.toPixels(...this.#pointAt(...at));
    set(this.ghost, { cx, cy });
  }

  // --- the list ------------------------------------------------------------------------------------------------

  /** @param {Point} point */
  #add(point) {
    const { maxPoints } = this.options;
    if (this.list.length >= maxPoints && !this.example) {
      this.note(`${maxPoints} points are the most; remove one first.`);
      return false;
    }
    this.#do({ kind: "add", to: point, final: true });
    this.#ghost(null);
    this.draw();
    say(this.spoken, `Point ${this.list.length} placed at ${spell(point)}.`);
    return true;
  }

  /** @param {Point} point */
  #remove(point) {
    this.#do({ kind: "remove", at: point, final: true });
    this.element.classList.remove("md-on-point");
    this.draw();
    say(this.spoken, `Point at ${spell(point)} removed. ${this.list.length} left.`);
  }

  // --- keyboard ------------------------------------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.options.editable || event.altKey) return;
    const done = event.ctrlKey || event.metaKey
      ? this.#command(event.key.toLowerCase(), event.shiftKey) : this.#keyAction(event.key, event.shiftKey);
    if (done) {
      event.preventDefault();
      event.stopPropagation();
      this.draw();
    }
  }

  /** @param {string} key  @param {boolean} shift */
  #command(key, shift) {
    if (key !== "z" && key !== "y") return false;
    this.#endKeyMove();
    this.pressed(key === "y" || shift ? "redo" : "undo");
    return true;
  }

  /** @param {string} key  @param {boolean} shift */
  #keyAction(key, shift) {
    const arrow = ARROWS[key];
    if (arrow) this.#arrow(arrow, shift ? 0.05 : 0.01);
    else if (key === "Enter" || key === " ") this.#enter();
    else if (key === "]" || key === "PageDown") this.#cycle(1);
    else if (key === "[" || key === "PageUp") this.#cycle(-1);
    else if (key === "Delete" || key === "Backspace") return this.#delete();
    else if (key === "Escape") this.#escape();
    else return false;
    return true;
  }

  /** @param {Point} direction  @param {number} share  of an axis */
  #arrow([dx, dy], share) {
    const { xRange, yRange } = this.options;
    const [stepX, stepY] = [xRange, yRange].map(([low, high]) => share * (high - low));
    const start = this.chosen ?? this.cross ?? middle(xRange, yRange);
    const place = this.#fit(start[0] + dx * stepX, start[1] + dy * stepY);
    if (this.chosen) {
      this.chosen = place;
      this.keyed = true;
      this.#do({ kind: "move", at: start, to: place, final: false });
    } else {
      this.cross = place;
    }
    clearTimeout(this.speakTimer);
    this.speakTimer = setTimeout(() => say(this.spoken, spell(place)), 250);
  }

  /** A row of arrow keys is one move: it ends when the last key is let go. */
  #endKeyMove() {
    if (!this.keyed) return;
    this.keyed = false;
    const at = /** @type {Point} */ (this.chosen); // only a chosen one is keyed
    this.#do({ kind: "move", at, to: at, final: true });
  }

  #enter() {
    const { xRange, yRange } = this.options;
    this.#endKeyMove();
    if (this.chosen) {
      this.cross = this.chosen;
      this.chosen = null;
      return;
    }
    const cross = this.cross ??= this.#fit(...middle(xRange, yRange));
    this.#add(cross);
  }

  /** @param {1 | -1} by */
  #cycle(by) {
    const n = this.list.length;
    if (!n) return;
    this.#endKeyMove();
    // From left to right, as the eye goes.
    const order = [...this.list].sort((a, b) => a[0] - b[0]);
    const at = this.chosen ? find(order, this.chosen) : -1;
    const next = at < 0 ? (by > 0 ? 0 : n - 1) : (at + by + n) % n;
    this.chosen = order[next];
    say(this.spoken, `Point ${next + 1} of ${n}, at ${spell(this.chosen)}.`);
  }

  #delete() {
    this.#endKeyMove();
    const point = this.chosen ?? this.list[this.hovered];
    if (!point) return false;
    const order = [...this.list].sort((a, b) => a[0] - b[0]);
    const place = find(order, point);
    this.#remove(point);
    order.splice(place, 1);
    if (this.chosen) this.chosen = order[Math.min(place, order.length - 1)] ?? null;
    return true;
  }

  #escape() {
    if (this.hold?.moved) this.#moveHeld(this.hold.before, true);
    this.hold = null;
    this.element.classList.remove("md-dragging");
    this.#letGo();
  }

  #letGo() {
    this.#endKeyMove();
    this.chosen = null;
    this.cross = null;
    this.draw();
  }

  /** Delete on the point under the mouse, also when the chart has no focus. @param {KeyboardEvent} event */
  #keyOutside(event) {
    if (this.hovered < 0 || event.defaultPrevented) return;
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    const inField = /** @type {Element} */ (event.target).closest?.("input:not([type=range]), textarea, [contenteditable=true]");
    if (!inField && this.#delete()) event.preventDefault();
  }
}
