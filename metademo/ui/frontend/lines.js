/** Losses against outer steps: several runs, each as averages, a smooth line and held-out errors. Plain SVG. */

import { DASHES, clamp, make, pretty, say, set, svg } from "./base.js";

const EDGE = { left: 44, right: 12, top: 10, bottom: 28 };

export class Lines {
  /** @param {(step: number) => void} pick  the visitor pointed at an outer step */
  constructor(pick) {
    this.svg = svg("svg", { class: "md-lines-svg", role: "img" });
    this.keys = make("div", { className: "md-lines-keys" });
    this.logY = this.#toggle("log loss", "Loss on a logarithmic axis");
    this.logX = this.#toggle("log steps", "Outer steps on a logarithmic axis");
    this.element = make("div", { className: "md-lines" },
      this.keys,
      make("div", { className: "md-lines-stage" }, this.svg),
      make("div", { className: "md-lines-axes" }, make("span", {}, "outer steps"), this.logY, this.logX));
    this.width = this.height = 0;
    this.at = 0;
    this.cursor = svg("path", { class: "md-cursor" });
    this.head = svg("circle", { r: 5, class: "md-head" });
    const choose = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      if (this.x) pick(this.x.invert(event.clientX - this.svg.getBoundingClientRect().left));
    };
    this.svg.addEventListener("pointerdown", choose);
    this.svg.addEventListener("pointermove", choose);
    this.observer = new ResizeObserver(([entry]) => {
      [this.width, this.height] = [Math.round(entry.contentRect.width), Math.round(entry.contentRect.height)];
      this.draw();
    });
    this.observer.observe(this.svg.parentElement);
  }

  destroy() { this.observer.disconnect(); }

  #toggle(text, title) {
    const button = make("button", { type: "button", className: "md-toggle", title, "aria-pressed": "false" }, text);
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      this.draw();
    });
    return button;
  }

  update(data, theme) {
    Object.assign(this, { data, theme });
    this.draw();
  }

  draw() {
    const { data, theme, width, height } = this;
    if (!data || !width || !height) return;
    const area = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
    const x = this.x = stepScale(data.most, on(this.logX), area);
    const y = this.y = lossScale(data, on(this.logY), area);
    set(this.svg, { width, height, "aria-label": describe(data) });
    const [main, ...others] = data.lines;
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
      ...others.flatMap((line) => [this.#path(line, "smooth", { "stroke-width": 1.75, opacity: 0.75 })]),
      ...(main ? [
        this.#path(main, "raw", { "stroke-width": 1, opacity: 0.28, "stroke-dasharray": "" }),
        this.#path(main, "smooth", { "stroke-width": 2.75 }),
        this.#errors(main),
      ] : []),
      this.head,
    );
    this.#drawKeys(main, others);
    this.show(this.at);
  }

  #path(line, name, look) {
    const { x, y, theme } = this;
    let pen = "M";
    let d = "";
    line.steps.forEach((step, i) => {
      const value = line[name][i];
      if (value === null) { pen = "M"; return; }
      d += `${pen}${x(step).toFixed(1)},${y(value).toFixed(1)}`;
      pen = "L";
    });
    return svg("path", {
      class: "md-line", d, stroke: theme.pick(line.color), "stroke-dasharray": DASHES[line.dash] ?? "", ...look,
    });
  }

  /** Held-out errors: a dot for each snapshot on a thin line of ink. */
  #errors(line) {
    const { x, y } = this;
    const places = line.errorSteps.map((step, i) => [step, line.errors[i]]).filter(([, v]) => v !== null)
      .map(([step, v]) => [x(step).toFixed(1), y(v).toFixed(1)]);
    return svg("g", { class: "md-errors" },
      svg("path", { d: places.length ? `M${places.map((p) => p.join()).join("L")}` : "M0,0" }),
      ...places.map(([cx, cy]) => svg("circle", { cx, cy, r: 1.9 })));
  }

  #drawKeys(main, others) {
    const key = JSON.stringify([this.theme.key, this.data.metric, this.data.lines.map((l) => [l.label, l.color, l.dash])]);
    if (key === this.key) return;
    this.key = key;
    const item = (look, text, value) => make("span", { className: "md-key" },
      svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, look), make("span", {}, text), ...(value ? [value] : []));
    const stroke = (line, width) => svg("path", {
      d: "M1,6H25", stroke: this.theme.pick(line.color), "stroke-width": width, "stroke-dasharray": DASHES[line.dash] ?? "",
    });
    this.error = make("b");
    this.keys.replaceChildren(
      ...(main ? [item(stroke(main, 3), others.length ? `query loss, ${main.label}` : "query loss")] : []),
      item(svg("g", { class: "md-errors" }, svg("path", { d: "M1,6H25" }), svg("circle", { cx: 13, cy: 6, r: 2.4 })),
        "held-out error", this.error),
      ...others.map((line) => item(stroke(line, 2), line.label)),
    );
  }

  /** The place of the slider: between two snapshots, between their steps. */
  show(at) {
    this.at = at;
    if (!this.x || !this.error) return;
    const { snapshots, errors } = this.data;
    const k = Math.min(Math.floor(at), snapshots.length - 1);
    const next = Math.min(k + 1, snapshots.length - 1);
    const part = at - k;
    const between = (a, b) => (part && a !== null && b !== null ? a + part * (b - a) : a);
    const [step, value] = [between(snapshots[k], snapshots[next]), between(errors[k] ?? null, errors[next] ?? null)];
    const x = this.x(step).toFixed(1);
    set(this.cursor, { d: `M${x},${EDGE.top}V${this.height - EDGE.bottom}` });
    this.head.style.display = value === null ? "none" : "";
    if (value !== null) set(this.head, { cx: x, cy: this.y(value).toFixed(1), fill: this.theme.text });
    say(this.error, pretty(errors[Math.round(at)] ?? null));
  }
}

const on = (button) => button.getAttribute("aria-pressed") === "true";

/** Outer steps from 0 to `most`; on a log axis 0 stands where 1/2 would. */
function stepScale(most, log, { left, right }) {
  const width = right - left;
  const rise = (v) => Math.log10(Math.max(v, 0.5) * 2);
  const scale = log
    ? (v) => left + (rise(v) / rise(Math.max(most, 1))) * width
    : (v) => left + (v / Math.max(most, 1)) * width;
  scale.invert = (px) => {
    const share = clamp((px - left) / width, 0, 1);
    return log ? 0.5 * 10 ** (share * rise(Math.max(most, 1))) : share * most;
  };
  const values = [0];
  if (log) for (let v = 1; v <= most; v *= 10) values.push(v);
  else for (const unit = nice(most / Math.max(2, width / 110)), last = most + unit / 1e6; values.at(-1) + unit <= last;) values.push(values.at(-1) + unit);
  scale.ticks = values.map((v) => [v, v.toLocaleString("en")]);
  return scale;
}

function lossScale({ lines, errors }, log, { top, bottom }) {
  const values = [...errors, ...lines.flatMap((l) => [...l.smooth, ...l.errors])].filter((v) => v !== null && v > 0);
  const most = values.length ? Math.max(...values) : 1;
  if (log) {
    const low = Math.floor(Math.log10(values.length ? Math.min(...values) : 0.1) * 2 - 0.05) / 2;
    const high = Math.max(low + 0.5, Math.ceil(Math.log10(most) * 2 + 0.05) / 2);
    const scale = (v) => bottom - clamp((Math.log10(Math.max(v, 1e-30)) - low) / (high - low), -0.02, 1.02) * (bottom - top);
    scale.ticks = [];
    for (let e = Math.floor(low); e <= high; e += 1) {
      for (const m of [1, 2, 5]) {
        const lift = Math.log10(m) + e;
        if (lift >= low - 1e-9 && lift <= high + 1e-9) scale.ticks.push([m * 10 ** e, pretty(m * 10 ** e)]);
      }
    }
    if (scale.ticks.length > 8) scale.ticks = scale.ticks.filter(([v]) => /^1(e|0*$)|^0\.0*1$/.test(String(v)));
    return scale;
  }
  const unit = nice(most / 4);
  const high = Math.ceil((most * 1.04) / unit) * unit;
  const scale = (v) => bottom - clamp(v / high, -0.02, 1.02) * (bottom - top);
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  scale.ticks = [];
  for (let v = 0; v <= high + unit / 2; v += unit) scale.ticks.push([v, v.toFixed(digits)]);
  return scale;
}

function nice(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-12)));
  return [1, 2, 5, 10].find((m) => m * power >= rough * 0.999) * power;
}

function describe({ lines, metric }) {
  const said = lines.map((l) => `${l.label}: held-out error from ${pretty(l.errors[0] ?? null)} to ${pretty(l.errors.at(-1) ?? null)}`);
  return `Query loss (${metric}) against outer steps. ${said.join("; ")}`;
}
