/** Small charts of one value per step, drawn as plain SVG. */

import { make, say, set, svg, valueOf } from "./base.js";
import { DASHES, clamp } from "./formats.js";
import { explained } from "./explain.js";
import { errorText, linearScale, logScale, stepTicks } from "./scales.js";
import { bringsForward, fade } from "./shared.js";
import { followSize } from "./stage.js";

/**
 * @typedef {import("./base.js").Theme} Theme
 * @typedef {?number | undefined} Value  of a series at a step; null if it is not finite, undefined beyond its end
 * @typedef {import("./base.js").Series & {values: (?number)[], about: string[]}} Series
 * @typedef {{title: string, log: boolean, note: string, without: string, series: Series[]}} PanelData  `without` is said where there is no value
 */

const HEIGHT = 128;
const EDGE = { left: 42, right: 10, top: 8, bottom: 20 };

export class Panels {
  /** @param {(step: number) => void} pick  the visitor clicked at a step */
  constructor(pick) {
    this.pick = pick;
    this.element = make("div", { className: "md-panels" });
    /** @type {Panel[]} */
    this.panels = [];
  }

  /**
   * @param {PanelData[]} panels
   * @param {number} steps
   * @param {Theme} theme
   * @param {?import("./shared.js").Shared} [place]  where each panel can be brought forward by its title, if it can
   */
  update(panels, steps, theme, place) {
    this.element.hidden = panels.length === 0;
    while (this.panels.length > panels.length) this.panels.pop()?.destroy();
    while (this.panels.length < panels.length) {
      const panel = new Panel(this.pick);
      this.panels.push(panel);
      this.element.append(panel.element);
    }
    panels.forEach((data, i) => this.panels[i].update(data, steps, theme));
    if (place) this.panels.forEach((panel) => panel.link(place));
  }

  /** @param {number} at */
  show(at) { this.panels.forEach((panel) => panel.show(at)); }

  /** Bring the series of this name (label) forward; null brings all back. @param {?string} name */
  highlight(name) { this.panels.forEach((panel) => panel.highlight(name)); }
}

class Panel {
  // From the first data on.
  /** @type {PanelData} */ data;
  /** @type {Theme} */ theme;
  /** @type {string} */ key;
  /** @type {number} */ steps;
  /** @type {(value: number) => number} */ x;
  /** @type {(value: number) => number} */ y;
  /** @type {SVGElement} */ cursor;
  /** @type {SVGElement[]} */ lines;
  /** @type {SVGElement[]} */ heads;

  /** @param {(step: number) => void} pick */
  constructor(pick) {
    this.title = make("span", { className: "md-panel-title" });
    this.values = make("span", { className: "md-panel-values" });
    this.svg = svg("svg", { height: HEIGHT, role: "img" });
    this.element = make("figure", { className: "md-panel" },
      make("figcaption", {}, this.title, this.values), this.svg);
    /** @param {PointerEvent} event */
    const choose = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const px = event.clientX - this.svg.getBoundingClientRect().left;
      const share = (px - EDGE.left) / Math.max(1, this.width - EDGE.left - EDGE.right);
      pick(Math.round(clamp(share, 0, 1) * this.steps));
    };
    this.svg.addEventListener("pointerdown", choose);
    this.svg.addEventListener("pointermove", choose);
    this.at = 0;
    this.linked = false;
    /** @type {?string} */
    this.front = null;
    this.width = 0;
    this.observer = followSize(this.element, (width) => {
      this.width = width;
      this.draw();
    });
  }

  destroy() {
    this.observer.disconnect();
    this.element.remove();
  }

  /** @param {PanelData} data  @param {number} steps  @param {Theme} theme */
  update(data, steps, theme) {
    const key = JSON.stringify([data, steps, theme.key]);
    if (key === this.key) return;
    Object.assign(this, { key, data, steps, theme });
    say(this.title, data.title);
    explained(this.title, data.note);
    this.values.replaceChildren(...data.series.map((series) => valueOf(series, theme, data.series.length > 1)));
    this.values.classList.toggle("md-many", data.series.length > 4);
    this.draw();
  }

  draw() {
    if (!this.data || !this.width) return;
    const { data, theme } = this;
    const scale = scaleOf(data);
    this.y = (v) => EDGE.top + (1 - scale.share(v)) * (HEIGHT - EDGE.top - EDGE.bottom);
    this.x = (k) => EDGE.left + (this.steps ? k / this.steps : 0.5) * (this.width - EDGE.left - EDGE.right);
    set(this.svg, { width: this.width });
    this.cursor = svg("path", { class: "md-cursor" });
    this.lines = data.series.map((s) => this.#line(s));
    this.heads = data.series.map((s) => svg("circle", { r: 4.5, fill: theme.pick(s.color), class: "md-head" }));
    this.svg.replaceChildren(
      ...scale.ticks.flatMap((v) => [
        svg("path", { class: "md-grid", d: `M${EDGE.left},${this.y(v)}H${this.width - EDGE.right}` }),
        svg("text", { x: EDGE.left - 7, y: this.y(v) + 4, "text-anchor": "end" }, scale.name(v)),
      ]),
      ...stepTicks(this.steps).map((k) =>
        svg("text", { x: this.x(k), y: HEIGHT - 4, "text-anchor": "middle" }, String(k))),
      this.cursor,
      ...this.lines,
      ...this.heads,
    );
    this.show(this.at);
    this.highlight(this.front);
  }

  /** Have the title bring the panel forward. @param {import("./shared.js").Shared} place */
  link(place) {
    if (this.linked) return;
    this.linked = true;
    bringsForward(this.title, this.element, place, this.data.title);
  }

  /** @param {?string} name */
  highlight(name) {
    this.front = name;
    if (!this.lines) return;
    this.element.classList.toggle("md-lit", name === this.data.title);
    fade(name, this.data.series.map((s) => s.label), [this.lines, this.heads, [...this.values.children]]);
  }

  /** @param {Series} series */
  #line(series) {
    const color = this.theme.pick(series.color);
    let pen = "M";
    let d = "";
    series.values.forEach((value, k) => {
      if (!this.#drawable(value)) { pen = "M"; return; }
      d += `${pen}${this.x(k).toFixed(1)},${this.y(value).toFixed(1)}`;
      pen = "L";
    });
    return svg("path", { class: "md-line", d, stroke: color, "stroke-dasharray": DASHES[series.dash] ?? "" });
  }

  /** @param {Value} value  @returns {value is number} */
  #drawable(value) { return value !== null && value !== undefined && (!this.data.log || value > 0); }

  /** @param {number} at */
  show(at) {
    this.at = at;
    if (!this.heads) return;
    const x = this.x(Math.min(at, this.steps));
    set(this.cursor, { d: `M${x},${EDGE.top}V${HEIGHT - EDGE.bottom}` });
    const step = Math.round(at);
    const { series, without } = this.data;
    const values = series.map((s) => text(s.values[Math.min(step, s.values.length - 1)], without));
    set(this.svg, { "aria-label": `${describe(this.data, this.steps)}; at step ${step}: ${values.join(", ")}` });
    series.forEach((series, i) => {
      // A series of fewer steps than the others stays where it ends.
      const own = Math.min(at, series.values.length - 1);
      const value = between(series.values, own);
      this.heads[i].style.display = this.#drawable(value) ? "" : "none";
      if (this.#drawable(value)) set(this.heads[i], { cx: this.x(own), cy: this.y(value) });
      const number = /** @type {HTMLElement} */ (this.values.children[i].lastChild);
      say(number, text(series.values[Math.round(own)], without));
      explained(number, series.about[Math.min(Math.round(own), series.about.length - 1)] ?? "");
    });
  }
}

/** The value at a step; between two steps, on the line between them. @type {(values: (?number)[], at: number) => Value} */
function between(values, at) {
  const k = Math.floor(at);
  const [a, b] = [values[k], values[k + 1]];
  if (at === k || a === null || b === null || a === undefined || b === undefined) return a;
  return a + (at - k) * (b - a);
}

/** An axis for all values of some series. @param {PanelData} data */
function scaleOf(data) {
  const all = data.series.flatMap((s) => s.values).filter((v) => v !== null);
  if (data.log) return logScale(all);
  return linearScale(Math.min(0, ...all), Math.max(all.length ? 1e-6 : 1, ...all));
}

/** @param {PanelData} data  @param {number} steps */
function describe(data, steps) {
  const said = (/** @type {Value} */ value) => text(value, data.without);
  const parts = data.series.map((s) => `${s.label} from ${said(s.values[0])} to ${said(s.values[steps] ?? s.values.at(-1))}`);
  return `${data.title}: ${parts.join("; ")}`;
}

/** An error in words. @param {Value} value  @param {string} without  said where there is none */
function text(value, without) { return value === null || value === undefined ? without : errorText(value); }
