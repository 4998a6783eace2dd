/** The plot itself: Plotly.js draws axes and curves; moving a curve afterwards only rewrites its path. */

import { DASHES } from "./formats.js";
import { decode } from "./rows.js";
import { faded } from "./shared.js";

const CONFIG = { staticPlot: true, displayModeBar: false, responsive: false };

/**
 * @typedef {import("./base.js").Theme} Theme
 * @typedef {import("./base.js").Series & {name: string, width: number, opacity: number, legend: boolean,
 *   about: string, band: ?Band} & Packed} Curve
 * @typedef {import("./rows.js").Packed} Packed
 * @typedef {{label: string, opacity: number, about: string, low: Packed, high: Packed}} Band  what lies between two lines
 * @typedef {[values: number[], labels: string[]]} Ticks
 * @typedef {{curves: Curve[], xRange: number[], yRange: number[], xTicks: ?Ticks}} PlotData
 */

export class Plot {
  // From the first data on.
  /** @type {number[]} */ xRange;
  /** @type {PlotlyAxis} */ x;
  /** @type {PlotlyAxis} */ y;
  /** @type {Float64Array} */ pixels;
  /** @type {Float64Array} */ grid;
  /** @type {SVGPathElement[]} */ paths;
  /** @type {SVGPathElement[]} */ areas;

  /** @param {HTMLElement} element  @param {PlotlyLibrary} Plotly */
  constructor(element, Plotly) {
    this.element = /** @type {PlotlyElement} */ (element);
    this.Plotly = Plotly;
    /** @type {(Curve & {lines: Float64Array[]})[]} */
    this.curves = [];
    /** @type {{index: number, low: {lines: Float64Array[]}, high: {lines: Float64Array[]}}[]} */
    this.bands = []; // of the curves at these places
    /** @type {?string} */
    this.front = null;
    this.shape = "";
    this.size = [element.clientWidth, element.clientHeight];
  }

  /**
   * Take new data; draw at (fractional) step `at`. Returns true if the axes may have moved.
   * @param {PlotData} data
   * @param {Theme} theme
   * @param {number} at
   */
  update(data, theme, at) {
    this.xRange = data.xRange;
    const before = new Map(this.curves.map((c) => [c.name, c]));
    this.curves = data.curves.map((curve) => {
      const old = before.get(curve.name);
      const same = old && old.y === curve.y && old.unit === curve.unit && old.start === curve.start;
      return { ...curve, lines: same ? old.lines : decode(curve) };
    });
    this.bands = this.curves.flatMap(({ band }, index) =>
      (band ? [{ index, low: { lines: decode(band.low) }, high: { lines: decode(band.high) } }] : []));
    const [width, height] = this.size;
    const shape = JSON.stringify([
      data.xRange, data.yRange, data.xTicks, theme.key, width, height,
      this.curves.map((c) => [c.name, c.color, c.dash, c.width, c.opacity, c.band?.opacity, c.lines[0].length]),
    ]);
    const anew = shape !== this.shape;
    if (anew) {
      this.shape = shape;
      this.#draw(data, theme, at, width, height);
    } else {
      this.show(at);
    }
    return anew;
  }

  /** Move the curves to a (fractional) step. @param {number} at */
  show(at) {
    const gd = this.element;
    const { xaxis, yaxis } = gd._fullLayout;
    const first = this.bands.length; // their traces come before those of the curves
    /** @type {number[]} */
    const moved = [];
    this.curves.forEach((curve, index) => {
      const trace = gd.data[first + index];
      const y = lineAt(curve, at);
      if (trace.y === y) return;
      trace.y = y; // so that whatever Plotly redraws later is right
      moved.push(index);
    });
    const fast = this.curves.every((_, i) => this.paths[i]); // otherwise Plotly redraws, slower
    if (fast) moved.forEach((i) => this.paths[i].setAttribute("d", path(this.pixels, gd.data[first + i].y, yaxis)));
    else if (moved.length) this.Plotly.restyle(gd, { y: moved.map((i) => gd.data[first + i].y) }, moved.map((i) => first + i));
    this.#moveBands(at, yaxis);
    this.x = xaxis;
    this.y = yaxis;
  }

  /** @param {number} at  @param {PlotlyAxis} yaxis */
  #moveBands(at, yaxis) {
    this.bands.forEach((band, i) => {
      const outline = around(this.grid, lineAt(band.low, at), lineAt(band.high, at));
      Object.assign(this.element.data[i], outline);
      const pixels = Float64Array.from(outline.x, (v) => this.x.d2p(v));
      this.areas[i]?.setAttribute("d", path(pixels, outline.y, yaxis));
    });
  }

  /**
   * Bring the curve of this label forward and fade the others, but for the true wave; null brings all back.
   * @param {?string} label
   */
  highlight(label) {
    this.front = label;
    const back = faded(label, this.curves.map((curve) => curve.label));
    this.bands.forEach(({ index }, i) => {
      if (this.areas[i]) this.areas[i].style.opacity = back[index] ? "0.3" : "1";
    });
    this.paths.forEach((line, i) => {
      const { name, width } = this.curves[i];
      line.style.opacity = back[i] && name !== "truth" ? "0.12" : "1";
      line.style.strokeWidth = `${this.curves[i].label === label ? width + 1 : width}px`;
    });
  }

  /** The plot area within the element, in pixels. */
  get area() {
    const { l: left, t: top, w: width, h: height } = this.element._fullLayout._size;
    return { left, top, width, height };
  }

  /** @type {(px: number, py: number) => [number, number]} */
  toData(px, py) { return [this.x.p2d(px), this.y.p2d(py)]; }

  /** @type {(x: number, y: number) => [number, number]} */
  toPixels(x, y) { return [this.x.d2p(x), this.y.d2p(y)]; }

  /** The height of a curve at x, at a step. @type {(name: string, x: number, at?: number) => number} */
  height(name, x, at = 0) {
    const [curve] = this.curves.filter((one) => one.name === name);
    const line = lineAt(curve, at);
    const [low, high] = this.xRange;
    const place = ((x - low) / (high - low)) * (line.length - 1);
    const k = Math.min(Math.max(Math.floor(place), 0), line.length - 2);
    return line[k] + (place - k) * (line[k + 1] - line[k]);
  }

  destroy() { this.Plotly.purge(this.element); }

  /** @param {PlotData} data  @param {Theme} theme  @param {number} at  @param {number} width  @param {number} height */
  #draw(data, theme, at, width, height) {
    const n = this.curves[0]?.lines[0].length ?? 0;
    const [low, high] = data.xRange;
    const x = Float64Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
    this.grid = x;
    /** @type {object[]} */
    const bands = this.bands.map(({ index, low, high }) => ({
      type: "scatter", mode: "none", fill: "toself", hoverinfo: "skip", ...around(x, lineAt(low, at), lineAt(high, at)),
      opacity: this.curves[index].band?.opacity, fillcolor: theme.pick(this.curves[index].color),
    }));
    const traces = this.curves.map((curve) => ({
      type: "scatter", mode: "lines", hoverinfo: "skip", x, y: lineAt(curve, at), name: curve.name,
      opacity: curve.opacity,
      line: {
        color: theme.pick(curve.color), width: curve.width, simplify: false,
        dash: DASHES[curve.dash] ? DASHES[curve.dash].replaceAll(" ", "px,") + "px" : "solid",
      },
    }));
    const gd = this.element;
    // Plotly draws at once; the promise is for fonts and images, of which there are none.
    this.Plotly.react(gd, [...bands, ...traces], layout(data, theme, width, height), CONFIG);
    gd.querySelector(".main-svg")?.setAttribute("aria-hidden", "true");
    this.x = gd._fullLayout.xaxis;
    this.y = gd._fullLayout.yaxis;
    this.pixels = Float64Array.from(x, (v) => this.x.d2p(v));
    this.paths = this.#findPaths("path.js-line").slice(this.bands.length);
    this.areas = this.#findPaths("path.js-fill");
    this.highlight(this.front);
  }

  /**
   * The SVG paths of the traces, each at the trace's place.
   * @param {string} selector
   * @returns {SVGPathElement[]}
   */
  #findPaths(selector) {
    /** @type {SVGPathElement[]} */
    const found = [];
    for (const trace of this.element.querySelectorAll(".scatterlayer > .trace")) {
      const index = trace.__data__?.[0]?.trace?.index;
      /** @type {NodeListOf<SVGPathElement>} */
      const line = trace.querySelectorAll(selector);
      if (index !== undefined && line.length === 1) found[index] = line[0];
    }
    return found;
  }
}

/**
 * A curve's line at a step; between two steps, the lines in between.
 * @param {{lines: Float64Array[]}} curve
 * @param {number} at
 */
function lineAt(curve, at) {
  const last = curve.lines.length - 1;
  const k = Math.min(Math.floor(at), last);
  const part = at - k;
  if (k === last || part <= 0) return curve.lines[k];
  const [a, b] = [curve.lines[k], curve.lines[k + 1]];
  return a.map((value, i) => value + part * (b[i] - value));
}

/**
 * The outline of what lies between two lines, there and back; where one of them has no value there is nothing.
 * @type {(x: Float64Array, low: Float64Array, high: Float64Array) => {x: Float64Array, y: Float64Array}}
 */
export function around(x, low, high) {
  const there = Array.from(x.keys()).filter((i) => !Number.isNaN(low[i] + high[i]));
  const back = there.toReversed();
  return {
    x: Float64Array.from([...there, ...back], (i) => x[i]),
    y: Float64Array.from([...there.map((i) => high[i]), ...back.map((i) => low[i])]),
  };
}

/** @param {Float64Array} pixels  @param {ArrayLike<number>} y  @param {PlotlyAxis} axis */
function path(pixels, y, axis) {
  const [low, high] = axis.range;
  const scale = axis._length / (high - low);
  let d = "";
  let pen = "M";
  for (let i = 0; i < y.length; i += 1) {
    if (Number.isNaN(y[i])) {
      pen = "M";
    } else {
      d += `${pen}${pixels[i].toFixed(2)},${((high - y[i]) * scale).toFixed(2)}`;
      pen = "L";
    }
  }
  return d || "M0,0";
}

/**
 * Where labels would crowd, every second one goes (0 stays); the grid keeps all its lines.
 * @type {(ticks: Ticks, width: number) => Ticks}
 */
function thinned([values, labels], width) {
  if (values.length * 48 < width) return [values, labels];
  const zero = values.findIndex((v) => Math.abs(v) < 1e-9);
  return [values, labels.map((text, i) => ((i - zero) % 2 ? "" : text))];
}

/** @param {PlotData} data  @param {Theme} theme  @param {number} width  @param {number} height */
function layout(data, theme, width, height) {
  /** @param {number[]} range  @param {?Ticks} ticks */
  const axis = (range, ticks) => ({
    range, fixedrange: true, zeroline: false, showline: false, ticks: "", ticklabelstandoff: 4,
    gridcolor: theme.ink(0.07), tickfont: { color: theme.ink(0.6), size: 12 },
    ...(ticks ? { tickmode: "array", tickvals: ticks[0], ticktext: ticks[1] } : { nticks: 6 }),
  });
  const xTicks = data.xTicks && thinned(data.xTicks, width);
  return {
    width, height, autosize: false, showlegend: false, dragmode: false, hovermode: false,
    template: {}, colorway: [theme.text], separators: ".",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, color: theme.text },
    margin: { l: 34, r: 10, t: 10, b: 28, pad: 0 },
    xaxis: { ...axis(data.xRange, xTicks), zeroline: true, zerolinecolor: theme.ink(0.16) },
    yaxis: { ...axis(data.yRange, null), zeroline: true, zerolinecolor: theme.ink(0.16) },
  };
}
