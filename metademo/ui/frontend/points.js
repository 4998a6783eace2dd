/** The visitor's points over the plot: mouse, touch and keys in, a list of points out. */

import { clamp, make, say, set, svg } from "./base.js";

const REACH = { mouse: 11, pen: 14, touch: 22 }; // how near, in pixels, is on a point
const DRAG = { mouse: 4, pen: 6, touch: 8 }; // how far is a drag and not a tap
const SLIP = 12; // a click may slip by so much and still place a point
const TWICE = 350; // ms: the second half of a double click does nothing

const KEYS = "Arrow keys move a cross-hair, with Shift in bigger steps. Enter or Space places a point. "
  + "Square brackets go from point to point: then arrow keys move it and Delete removes it. Escape lets go.";

export class Points {
  /**
   * @param {import("./plot.js").Plot} plot
   * @param {(kind: "add"|"move"|"remove", final: boolean) => void} changed
   * @param {(text: string) => void} note
   */
  constructor(plot, changed, note) {
    this.plot = plot;
    this.changed = changed;
    this.note = note;
    /** @type {[number, number][]} */
    this.list = [];
    this.options = { editable: false, maxPoints: 0, snap: "", xRange: [0, 1], yRange: [0, 1] };
    this.hold = null; // the press that is going on
    this.hovered = -1;
    this.selected = -1;
    this.cross = null; // the keyboard's cross-hair, in data coordinates
    this.last = { at: -Infinity, x: 0, y: 0 };
    this.#build();
  }

  /** Whether the visitor has a point in hand. */
  get busy() { return Boolean(this.hold?.moved) || Boolean(this.keyMove); }

  update(options) {
    this.options = options;
    const { editable, label } = options;
    set(this.element, {
      tabindex: editable ? 0 : -1,
      role: editable ? "application" : "img",
      "aria-label": editable ? `${label}. Click to add a point.` : label,
    });
    this.element.classList.toggle("md-editable", editable);
    if (!editable) this.#letGo();
    this.place();
  }

  /** Take a list from the server. */
  take(list) {
    this.list = list.map(([x, y]) => [x, y]);
    this.hold = null;
    this.keyMove = null;
    clearTimeout(this.keyTimer);
    if (this.selected >= list.length) this.selected = -1;
    this.hovered = -1;
    this.draw();
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
    while (this.dots.children.length > this.list.length) this.dots.lastChild.remove();
    while (this.dots.children.length < this.list.length) this.dots.append(svg("circle"));
    this.list.forEach(([x, y], i) => {
      const [cx, cy] = this.plot.toPixels(x, y);
      const active = i === this.selected || i === this.hovered || i === this.hold?.index;
      set(this.dots.children[i], { cx, cy, r: active ? 8.5 : 6.5, class: active ? "md-dot md-active" : "md-dot" });
    });
    const chosen = this.list[this.selected];
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
    const help = make("span", { className: "md-unseen", id: `md-keys-${Math.random().toString(36).slice(2)}` }, KEYS);
    this.spoken = make("span", { className: "md-unseen", "aria-live": "polite" });
    this.element = make("div", { className: "md-hands", "aria-describedby": help.id }, this.svg, help, this.spoken);
    const on = (name, what, options) => this.element.addEventListener(name, what, options);
    on("pointerdown", (e) => this.#down(e));
    on("pointermove", (e) => this.#move(e));
    on("pointerup", (e) => this.#up(e));
    on("pointercancel", () => this.#cancel());
    on("pointerleave", () => this.#hover(-1, null));
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

  #at(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Index of the nearest point in reach, or -1. */
  #near(px, py, kind) {
    let [best, least] = [-1, REACH[kind] ?? REACH.mouse];
    this.list.forEach(([x, y], i) => {
      const [cx, cy] = this.plot.toPixels(x, y);
      const distance = Math.hypot(cx - px, cy - py);
      if (distance <= least) [best, least] = [i, distance];
    });
    return best;
  }

  /** Data coordinates of a pixel, within the axes and on the curve that points snap to. */
  #pointAt(px, py) {
    const [x, y] = this.plot.toData(px, py);
    return this.#fit(x, y);
  }

  #fit(x, y) {
    const { xRange, yRange, snap } = this.options;
    const inside = clamp(x, ...xRange);
    const target = snap ? this.plot.height(snap, inside) : y;
    return [inside, clamp(target, ...yRange)];
  }

  #down(event) {
    if (!this.options.editable || !event.isPrimary || event.button !== 0) return;
    const [px, py] = this.#at(event);
    const index = this.#near(px, py, event.pointerType);
    this.selected = -1;
    this.cross = null;
    this.#endKeyMove();
    const from = index >= 0 ? this.plot.toPixels(...this.list[index]) : [px, py];
    this.hold = { id: event.pointerId, index, px, py, from, moved: false, before: this.list[index] };
    if (index >= 0) this.element.setPointerCapture(event.pointerId);
    this.element.classList.toggle("md-dragging", index >= 0);
    this.#ghost(null);
    this.draw();
  }

  #move(event) {
    const [px, py] = this.#at(event);
    const { hold } = this;
    if (!hold || event.pointerId !== hold.id) {
      if (event.pointerType !== "touch") this.#hover(this.#near(px, py, event.pointerType), [px, py]);
      return;
    }
    const distance = Math.hypot(px - hold.px, py - hold.py);
    if (distance > (DRAG[event.pointerType] ?? 4)) hold.far = true;
    if (hold.index < 0 || !hold.far) return;
    hold.moved = true;
    this.list[hold.index] = this.#pointAt(hold.from[0] + px - hold.px, hold.from[1] + py - hold.py);
    this.draw();
    this.changed("move", false);
  }

  #up(event) {
    const { hold } = this;
    if (!hold || event.pointerId !== hold.id) return;
    this.hold = null;
    this.element.classList.remove("md-dragging");
    const [px, py] = this.#at(event);
    if (hold.moved) {
      this.changed("move", true);
    } else if (!this.#second(hold)) {
      if (hold.index >= 0) this.#remove(hold.index);
      else if (Math.hypot(px - hold.px, py - hold.py) <= SLIP) this.#add(this.#pointAt(hold.px, hold.py));
    }
    this.hovered = event.pointerType === "touch" ? -1 : this.#near(px, py, event.pointerType);
    this.draw();
  }

  #cancel() {
    const { hold } = this;
    this.hold = null;
    this.element.classList.remove("md-dragging");
    if (hold?.moved) this.changed("move", true);
    this.draw();
  }

  /** Whether this click is the second of a double click. */
  #second({ px, py }) {
    const now = performance.now();
    const { at, x, y } = this.last;
    const second = now - at < TWICE && Math.hypot(px - x, py - y) < 8;
    this.last = { at: now, x: px, y: py };
    return second;
  }

  #hover(index, at) {
    if (!this.options.editable) return;
    if (index !== this.hovered) {
      this.hovered = index;
      this.element.classList.toggle("md-on-point", index >= 0);
      this.draw();
    }
    this.#ghost(index < 0 && at ? at : null);
  }

  /** Show where a click would place a point. */
  #ghost(at) {
    this.ghost.style.display = at ? "" : "none";
    if (!at) return;
    const [cx, cy] = this.plot.toPixels(...this.#pointAt(...at));
    set(this.ghost, { cx, cy });
  }

  // --- the list ------------------------------------------------------------------------------------------------

  #add(point) {
    const { maxPoints } = this.options;
    if (this.list.length >= maxPoints) {
      this.note(`${maxPoints} points are the most; remove one first.`);
      return false;
    }
    this.list.push(point);
    this.changed("add", true);
    this.#ghost(null);
    this.draw();
    say(this.spoken, `Point ${this.list.length} placed at ${spell(point)}.`);
    return true;
  }

  #remove(index) {
    const [point] = this.list.splice(index, 1);
    this.hovered = -1;
    if (this.selected >= this.list.length) this.selected = this.list.length - 1;
    this.element.classList.remove("md-on-point");
    this.changed("remove", true);
    this.draw();
    say(this.spoken, `Point at ${spell(point)} removed. ${this.list.length} left.`);
  }

  // --- keyboard ------------------------------------------------------------------------------------------------

  #key(event) {
    if (!this.options.editable || event.ctrlKey || event.metaKey || event.altKey) return;
    const done = this.#keyAction(event.key, event.shiftKey);
    if (done) {
      event.preventDefault();
      event.stopPropagation();
      this.draw();
    }
  }

  #keyAction(key, shift) {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (arrow) this.#arrow(arrow, shift ? 0.05 : 0.01);
    else if (key === "Enter" || key === " ") this.#enter();
    else if (key === "]" || key === "PageDown") this.#cycle(1);
    else if (key === "[" || key === "PageUp") this.#cycle(-1);
    else if (key === "Delete" || key === "Backspace") return this.#delete();
    else if (key === "Escape") this.#escape();
    else return false;
    return true;
  }

  #arrow([dx, dy], share) {
    const { xRange, yRange } = this.options;
    const [stepX, stepY] = [xRange, yRange].map(([low, high]) => share * (high - low));
    const moving = this.selected >= 0;
    const start = moving ? this.list[this.selected] : this.cross ?? middle(xRange, yRange);
    const place = this.#fit(start[0] + dx * stepX, start[1] + dy * stepY);
    if (moving) {
      this.list[this.selected] = place;
      this.keyMove = true;
      clearTimeout(this.keyTimer);
      this.keyTimer = setTimeout(() => this.#endKeyMove(), 400);
      this.changed("move", false);
    } else {
      this.cross = place;
    }
    clearTimeout(this.speakTimer);
    this.speakTimer = setTimeout(() => say(this.spoken, spell(place)), 250);
  }

  #endKeyMove() {
    if (!this.keyMove) return;
    this.keyMove = null;
    clearTimeout(this.keyTimer);
    this.changed("move", true);
  }

  #enter() {
    const { xRange, yRange } = this.options;
    if (this.selected >= 0) {
      this.cross = [...this.list[this.selected]];
      this.selected = -1;
      return;
    }
    this.cross ??= this.#fit(...middle(xRange, yRange));
    this.#add([...this.cross]);
  }

  #cycle(by) {
    const n = this.list.length;
    if (!n) return;
    this.#endKeyMove();
    // From left to right, as the eye goes.
    const order = this.list.map((_, i) => i).sort((a, b) => this.list[a][0] - this.list[b][0]);
    const at = order.indexOf(this.selected);
    this.selected = order[at < 0 ? (by > 0 ? 0 : n - 1) : (at + by + n) % n];
    say(this.spoken, `Point ${order.indexOf(this.selected) + 1} of ${n}, at ${spell(this.list[this.selected])}.`);
  }

  #delete() {
    const index = this.selected >= 0 ? this.selected : this.hovered;
    if (index < 0) return false;
    this.#remove(index);
    return true;
  }

  #escape() {
    const { hold } = this;
    if (hold?.moved) {
      this.list[hold.index] = hold.before;
      this.hold = null;
      this.changed("move", true);
    }
    this.#letGo();
  }

  #letGo() {
    this.#endKeyMove();
    this.selected = -1;
    this.cross = null;
    this.draw();
  }

  /** Delete on the point under the mouse, also when the chart has no focus. */
  #keyOutside(event) {
    if (this.hovered < 0 || event.defaultPrevented) return;
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    const inField = event.target.closest?.("input:not([type=range]), textarea, [contenteditable=true]");
    if (!inField && this.#delete()) event.preventDefault();
  }
}

const middle = ([a, b], [c, d]) => [(a + b) / 2, (c + d) / 2];

const spell = ([x, y]) => `x ${x.toFixed(2)}, y ${y.toFixed(2)}`.replaceAll("-", "minus ");
