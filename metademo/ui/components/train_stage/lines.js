/**
 * Losses against outer steps: several runs, each as averages, a smooth line and held-out errors. Plain SVG.
 * Runs are told apart by dash, shade and a number at the line's end. What rises far above the errors that a learner can
 * have is cut off, with a mark at the edge, so that one wild run does not flatten the others.
 */

import { make, say, set, svg } from "../kernel/base.js";
import { DASHES, clamp, pretty } from "../kernel/formats.js";
import { explained } from "../kernel/explain.js";
import { followSize } from "../kernel/stage.js";
import { lossScale, shareScale, stepScale } from "./axes.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {{label: string, color: import("../kernel/base.js").Colors, number: number, steps: number[], raw: (?number)[],
 *   smooth: (?number)[], errorSteps: number[], errors: (?number)[]}} Line  `raw` and `smooth` at `steps`, `errors` at
 *   `errorSteps`; null where a loss is no number any more
 * @typedef {{lines: Line[], snapshots: number[], errors: (?number)[], most: number, top: number, ignoring: number,
 *   metric: string, keys: Texts, about: Texts, shares: boolean}} LinesData  `errors` at `snapshots`; with `shares` they are
 *   shares of what is right, from 0 to 1, and so are the lines
 * @typedef {{query: string, heldOut: string, ignoring: string}} Texts  of the thick line (its key is "" where it joins
 *   the dots), of the dots, and of the dotted line
 * @typedef {[step: number, value: ?number]} Place
 */

const EDGE = { left: 44, right: 18, top: 16, bottom: 28 };
const RUN_DASHES = ["solid", "dash", "dot", "dashdot"];
const RUN_INK = [0, 45, 70]; // per cent of ink in the colour

export class Lines {
  // From the first data on.
  /** @type {LinesData} */ data;
  /** @type {Theme} */ theme;
  /** @type {string} */ key;
  /** @type {import("./axes.js").StepScale} */ x;
  /** @type {import("./axes.js").LossScale} */ y;
  /** @type {HTMLElement} */ error;

  /** @param {(step: number) => void} pick  the visitor pointed at an outer step */
  constructor(pick) {
    this.svg = svg("svg", { class: "md-lines-svg", role: "img" });
    this.keys = make("div", { className: "md-lines-keys" });
    this.logY = this.#toggle("log loss", "Loss on a logarithmic axis");
    this.logX = this.#toggle("log steps", "Outer steps on a logarithmic axis");
    const stage = make("div", { className: "md-lines-stage" }, this.svg);
    this.element = make("div", { className: "md-lines" },
      this.keys,
      stage,
      make("div", { className: "md-lines-axes" }, make("span", {}, "outer steps"), this.logY, this.logX));
    this.width = this.height = 0;
    this.at = 0;
    this.cursor = svg("path", { class: "md-cursor" });
    this.head = svg("circle", { r: 5, class: "md-head" });
    /** @param {PointerEvent} event */
    const choose = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      if (this.x) pick(this.x.invert(event.clientX - this.svg.getBoundingClientRect().left));
    };
    this.svg.addEventListener("pointerdown", choose);
    this.svg.addEventListener("pointermove", choose);
    this.observer = followSize(stage, (width, height) => {
      [this.width, this.height] = [width, height];
      this.draw();
    });
  }

  destroy() { this.observer.disconnect(); }

  /** @param {string} text  @param {string} title */
  #toggle(text, title) {
    const button = make("button", { type: "button", className: "md-toggle", title, "aria-pressed": "false" }, text);
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      this.draw();
    });
    return button;
  }

  /** @param {LinesData} data  @param {Theme} theme */
  update(data, theme) {
    Object.assign(this, { data, theme });
    this.draw();
  }

  draw() {
    const { data, theme, width, height } = this;
    if (!data || !width || !height) return;
    const area = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
    const x = this.x = stepScale(data.most, on(this.logX), area);
    const y = this.y = data.shares ? shareScale(area) : lossScale(data, on(this.logY), area);
    this.logY.hidden = data.shares;
    set(this.svg, { width, height });
    const [main, ...others] = data.lines;
    const frame = { x: area.left, y: area.top - 3, width: area.right - area.left, height: area.bottom - area.top + 6 };
    this.svg.replaceChildren(
      ...y.ticks.flatMap(([v, text]) => [
        svg("path", { class: "md-grid", d: `M${area.left},${y(v)}H${area.right}` }),
        svg("text", { x: area.left - 8, y: y(v) + 4, "text-anchor": "end" }, text),
      ]),
      ...x.ticks.map(([v, text]) => svg("text", {
        x: x(v), y: area.bottom + 18, "text-anchor": x(v) > width - 7 * text.length / 2 ? "end" : "middle",
        dx: x(v) > width - 7 * text.length / 2 ? EDGE.right : 0,
      }, text)),
      this.cursor,
      svg("path", { class: "md-ignoring", d: `M${area.left},${y(data.ignoring)}H${area.right}` }),
      svg("svg", { ...frame, viewBox: Object.values(frame).join(" ") },
        ...others.map((line) => this.#path(line, "smooth", { "stroke-width": 1.75, opacity: 0.85 })),
        this.#path(main, "raw", { "stroke-width": 1, opacity: 0.28, "stroke-dasharray": "" }),
        this.#path(main, "smooth", { "stroke-width": 2.75 }),
        this.#errors(main)),
      ...this.#numbers(),
      ...data.lines.flatMap((line, i) => this.#beyond(line, area, i)),
      this.head,
    );
    this.#drawKeys(main, others);
    this.show(this.at);
  }

  /** The numbers of the runs at the ends of their lines, none upon another. */
  #numbers() {
    const { x, y, data: { lines } } = this;
    if (lines.length < 2) return [];
    const ends = lines.flatMap((line) => {
      const [step, loss] = pairs(line.steps, line.smooth).at(-1) ?? [0, null];
      return loss === null || loss > y.most ? [] : [{ line, x: x(step), y: y(loss) }];
    }).sort((a, b) => b.y - a.y);
    ends.forEach((end, i) => {
      const below = ends.slice(0, i).findLast((other) => Math.abs(other.x - end.x) < 12);
      if (below) end.y = Math.min(end.y, below.y - 12);
    });
    return ends.map((end) => svg("text", {
      class: "md-run-number", x: end.x + 7, y: end.y + 4, style: `fill: ${this.#colour(end.line)}`,
    }, String(end.line.number)));
  }

  /**
   * A mark at the upper edge for a line that goes beyond it, and how far it goes.
   * @param {Line} line
   * @param {{left: number, right: number, top: number}} area
   * @param {number} i  its place among the lines
   */
  #beyond(line, { left, right, top }, i) {
    const { x, y } = this;
    const places = [...pairs(line.steps, line.smooth), ...pairs(line.errorSteps, line.errors)]
      .filter(([, value]) => value === null || value > y.most);
    if (!places.length) return [];
    /** @param {?number} value */
    const size = (value) => value ?? Infinity; // what is no number any more ran away
    const [step, value] = places.reduce((a, b) => (size(b[1]) > size(a[1]) ? b : a));
    const cx = clamp(x(step), left + 5, right - 5);
    const text = value === null ? "∞" : pretty(value);
    const end = cx > (left + right) / 2;
    return [svg("g", { class: "md-beyond", style: `fill: ${this.#colour(line)}` },
      svg("title", {}, `${line.label} goes beyond the axis, up to ${text}`),
      svg("path", { d: `M${cx - 5},${top}L${cx},${top - 8}L${cx + 5},${top}Z` }),
      svg("text", { x: cx + (end ? -8 : 8), y: top - 1 + 12 * i, "text-anchor": end ? "end" : "start" },
        `${this.data.lines.length > 1 ? `${line.number}: ` : ""}up to ${text}`))];
  }

  /** An algorithm's colour, with more ink for the second and the third of three runs. @param {Line} line */
  #colour(line) {
    const ink = RUN_INK[Math.max(line.number - 1, 0) % RUN_INK.length];
    return `color-mix(in srgb, ${this.theme.pick(line.color)} ${100 - ink}%, ${this.theme.text})`;
  }

  /** @param {Line} line  @param {"raw" | "smooth"} name  @param {Record<string, unknown>} style */
  #path(line, name, style) {
    const { x, y } = this;
    let pen = "M";
    let d = "";
    line.steps.forEach((step, i) => {
      const value = line[name][i];
      if (value === null) { pen = "M"; return; }
      d += `${pen}${x(step).toFixed(1)},${y(value).toFixed(1)}`;
      pen = "L";
    });
    return svg("path", {
      class: "md-line", d, stroke: this.#colour(line), "stroke-dasharray": dashOf(line), ...style,
    });
  }

  /** Held-out errors: a dot for each snapshot on a thin line of ink. @param {Line} line */
  #errors(line) {
    const { x, y } = this;
    const places = pairs(line.errorSteps, line.errors)
      .flatMap(([step, v]) => (v === null ? [] : [[x(step).toFixed(1), y(v).toFixed(1)]]));
    return svg("g", { class: "md-errors" },
      svg("path", { d: places.length ? `M${places.map((p) => p.join()).join("L")}` : "M0,0" }),
      ...places.map(([cx, cy]) => svg("circle", { cx, cy, r: 1.9 })));
  }

  /** @param {Line} main  @param {Line[]} others */
  #drawKeys(main, others) {
    const key = JSON.stringify([this.theme.key, this.data.keys, this.data.lines.map((l) => [l.label, l.color, l.number])]);
    if (key === this.key) return;
    this.key = key;
    /** @param {SVGElement} mark  @param {string} about  @param {HTMLElement[]} parts */
    const item = (mark, about, ...parts) => explained(make("span", { className: "md-key" },
      svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, mark), ...parts), about);
    const { about, keys } = this.data;
    /** @param {Line} line  @param {string} [before] */
    const named = ({ label }, before = "") => { // a narrow screen has room for the names alone
      const [name, ...more] = label.split(" (");
      return make("span", {}, before + name, make("span", { className: "md-brief" }, ["", ...more].join(" (")));
    };
    /** @param {Line} line  @param {number} width */
    const stroke = (line, width) => svg("path", {
      d: "M1,6H25", stroke: this.#colour(line), "stroke-width": width, "stroke-dasharray": dashOf(line),
    });
    this.error = make("b");
    this.keys.replaceChildren(
      ...(keys.query || others.length ? [item(stroke(main, 3), about.query,
        others.length ? named(main, keys.query && `${keys.query}, `) : make("span", {}, keys.query))] : []),
      item(svg("g", { class: "md-errors" }, svg("path", { d: "M1,6H25" }), svg("circle", { cx: 13, cy: 6, r: 2.4 })), about.heldOut,
        make("span", {}, keys.heldOut), this.error),
      item(svg("path", { class: "md-ignoring", d: "M1,6H25" }), about.ignoring, make("span", {}, keys.ignoring)),
      ...others.map((line) => item(stroke(line, 2), `${about.query}, of this run`, named(line))),
    );
  }

  /** A result as it is read. @param {?number} value */
  #told(value) { return this.data.shares && value !== null ? `${Math.round(100 * value)} %` : pretty(value); }

  get #described() {
    const { lines, metric, keys } = this.data;
    const runs = lines.map((l) => `${l.label}: ${keys.heldOut} from ${this.#told(l.errors[0] ?? null)} to ${this.#told(l.errors.at(-1) ?? null)}`);
    const what = keys.query || keys.heldOut;
    return `${what[0].toUpperCase()}${what.slice(1)} (${metric}) against outer steps. ${runs.join("; ")}`;
  }

  /** The place of the slider: between two snapshots, between their steps. @param {number} at */
  show(at) {
    this.at = at;
    if (!this.x || !this.error) return;
    const { snapshots, errors } = this.data;
    const k = Math.min(Math.floor(at), snapshots.length - 1);
    const next = Math.min(k + 1, snapshots.length - 1);
    const part = at - k;
    /** @type {(a: number, b: number) => number} */
    const between = (a, b) => (part ? a + part * (b - a) : a);
    const step = between(snapshots[k], snapshots[next]);
    const [a, b] = [errors[k] ?? null, errors[next] ?? null];
    const value = a === null || b === null ? a : between(a, b);
    const x = this.x(step).toFixed(1);
    set(this.cursor, { d: `M${x},${EDGE.top}V${this.height - EDGE.bottom}` });
    this.head.style.display = value === null ? "none" : "";
    if (value !== null) set(this.head, { cx: x, cy: Math.max(this.y(value), EDGE.top).toFixed(1), fill: this.theme.text });
    const now = this.#told(errors[Math.round(at)] ?? null);
    say(this.error, now);
    set(this.svg, { "aria-label": `${this.#described}; at step ${snapshots[Math.round(at)]}: ${now}` });
  }
}

/** @type {(steps: number[], values: (?number)[]) => Place[]} */
const pairs = (steps, values) => steps.map((step, i) => [step, values[i]]);

/** @param {Line} line */
const dashOf = (line) => DASHES[RUN_DASHES[Math.max(line.number - 1, 0) % RUN_DASHES.length]];

/** @param {HTMLElement} button */
const on = (button) => button.getAttribute("aria-pressed") === "true";
