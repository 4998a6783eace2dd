/** Small charts of one value per step, drawn as plain SVG. */

import { DASHES, clamp, make, pretty, say, set, svg } from "./base.js";

const HEIGHT = 128;
const EDGE = { left: 38, right: 10, top: 8, bottom: 20 };

export class Panels {
  /** @param {(step: number) => void} pick  the visitor clicked at a step */
  constructor(pick) {
    this.pick = pick;
    this.element = make("div", { className: "md-panels" });
    this.panels = [];
  }

  update(panels, steps, theme) {
    this.element.hidden = panels.length === 0;
    while (this.panels.length > panels.length) this.panels.pop().destroy();
    while (this.panels.length < panels.length) {
      const panel = new Panel(this.pick);
      this.panels.push(panel);
      this.element.append(panel.element);
    }
    panels.forEach((data, i) => this.panels[i].update(data, steps, theme));
  }

  show(at) { this.panels.forEach((panel) => panel.show(at)); }
}

class Panel {
  constructor(pick) {
    this.title = make("span", { className: "md-panel-title" });
    this.values = make("span", { className: "md-panel-values" });
    this.svg = svg("svg", { height: HEIGHT, role: "img" });
    this.element = make("figure", { className: "md-panel" },
      make("figcaption", {}, this.title, this.values), this.svg);
    const choose = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const px = event.clientX - this.svg.getBoundingClientRect().left;
      const share = (px - EDGE.left) / Math.max(1, this.width - EDGE.left - EDGE.right);
      pick(Math.round(clamp(share, 0, 1) * this.steps));
    };
    this.svg.addEventListener("pointerdown", choose);
    this.svg.addEventListener("pointermove", choose);
    this.at = 0;
    this.width = 0;
    // Asking for the width while drawing would make the browser lay out the page at each answer.
    this.observer = new ResizeObserver(([entry]) => {
      this.width = Math.round(entry.contentRect.width);
      this.draw();
    });
    this.observer.observe(this.element);
  }

  destroy() {
    this.observer.disconnect();
    this.element.remove();
  }

  update(data, steps, theme) {
    const key = JSON.stringify([data, steps, theme.key]);
    if (key === this.key) return;
    Object.assign(this, { key, data, steps, theme });
    say(this.title, data.title);
    this.element.title = data.note;
    this.values.replaceChildren(...data.series.map((series) => valueOf(series, theme, data.series.length > 1)));
    this.draw();
  }

  draw() {
    if (!this.data || !this.width) return;
    const { data, theme } = this;
    const scale = scaleOf(data);
    this.y = (v) => EDGE.top + (1 - scale.share(v)) * (HEIGHT - EDGE.top - EDGE.bottom);
    this.x = (k) => EDGE.left + (this.steps ? k / this.steps : 0.5) * (this.width - EDGE.left - EDGE.right);
    set(this.svg, { width: this.width, "aria-label": describe(data, this.steps) });
    this.cursor = svg("path", { class: "md-cursor" });
    this.heads = data.series.map((s) => svg("circle", { r: 4.5, fill: theme.pick(s.color), class: "md-head" }));
    this.svg.replaceChildren(
      ...scale.ticks.flatMap((v) => [
        svg("path", { class: "md-grid", d: `M${EDGE.left},${this.y(v)}H${this.width - EDGE.right}` }),
        svg("text", { x: EDGE.left - 7, y: this.y(v) + 4, "text-anchor": "end" }, scale.name(v)),
      ]),
      ...stepTicks(this.steps).map((k) =>
        svg("text", { x: this.x(k), y: HEIGHT - 4, "text-anchor": "middle" }, String(k))),
      this.cursor,
      ...data.series.map((s) => this.#line(s)),
      ...this.heads,
    );
    this.show(this.at);
  }

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

  #drawable(value) { return value !== null && value !== undefined && (!this.data.log || value > 0); }

  show(at) {
    this.at = at;
    if (!this.heads) return;
    const step = Math.round(at);
    const x = this.x(Math.min(at, this.steps));
    set(this.cursor, { d: `M${x},${EDGE.top}V${HEIGHT - EDGE.bottom}` });
    this.data.series.forEach((series, i) => {
      const value = between(series.values, at);
      this.heads[i].style.display = this.#drawable(value) ? "" : "none";
      if (this.#drawable(value)) set(this.heads[i], { cx: x, cy: this.y(value) });
      say(this.values.children[i].querySelector("b"), pretty(series.values[step] ?? null));
    });
  }
}

/** A place for a series' value, in its colour and, if it is one of several, with its name. */
export function valueOf(series, theme, named) {
  const mark = make("i");
  mark.style.background = theme.pick(series.color);
  return make("span", {}, mark, named ? `${series.label} ` : "", make("b"));
}

/** The value at a step; between two steps, on the line between them. */
function between(values, at) {
  const k = Math.floor(at);
  const [a, b] = [values[k], values[k + 1]];
  if (at === k || a === null || b === null || a === undefined || b === undefined) return a;
  return a + (at - k) * (b - a);
}

/** An axis for all values of some series: the place of a value, and its ticks. */
function scaleOf(data) {
  const all = data.series.flatMap((s) => s.values).filter((v) => v !== null);
  if (data.log) return logScale(all);
  return linearScale(Math.min(0, ...all), Math.max(all.length ? 1e-6 : 1, ...all));
}

function linearScale(least, most) {
  const unit = niceUnit((most - least) / 2.2);
  const low = Math.floor(least / unit + 1e-9) * unit;
  const high = Math.ceil(most / unit - 1e-9) * unit;
  const ticks = [];
  for (let v = low; v <= high + unit / 2; v += unit) ticks.push(Math.abs(v) < unit / 1e6 ? 0 : v);
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  const name = (v) => (digits > 4 ? v.toExponential(0) : v.toFixed(digits)).replace("-", "−");
  return { share: (v) => (v - low) / (high - low), ticks, name };
}

/**
 * A logarithmic axis for positive values. It spans five decades at most: what has run away, and what is nothing at
 * all, stays at its ends.
 */
export function logScale(values) {
  const known = values.filter((v) => v > 0).sort((a, b) => a - b);
  const middle = known[known.length >> 1] ?? 1;
  const most = Math.min(known.at(-1) ?? 1, 100 * middle);
  const least = Math.max(known[0] ?? 0.1, middle / 1000);
  const low = Math.floor(Math.log10(least) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(most) - 1e-9));
  const every = Math.ceil((high - low) / 3);
  const ticks = [];
  for (let e = low; e <= high; e += every) ticks.push(10 ** e);
  const name = (v) => (v >= 1e-3 && v < 1e4 ? String(Number(v.toPrecision(1))) : v.toExponential(0)).replace("-", "−");
  const share = (v) => clamp((Math.log10(Math.max(v, 1e-300)) - low) / (high - low), 0, 1);
  return { share, ticks, name };
}

function niceUnit(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].find((m) => m * power >= rough * 0.999) * power;
}

function stepTicks(steps) {
  const every = Math.max(1, Math.ceil(niceUnit(Math.max(steps, 1) / 6)));
  const ticks = [];
  for (let k = 0; k <= steps; k += every) ticks.push(k);
  return ticks;
}

function describe(data, steps) {
  const parts = data.series.map((s) => `${s.label} from ${pretty(s.values[0] ?? null)} to ${pretty(s.values[steps] ?? null)}`);
  return `${data.title}: ${parts.join("; ")}`;
}
