/** What charts with curves have in common: how they start, follow the width of the page, and name their curves. */

import { loadPlotly, loadStyle, make, painted, svg } from "./base.js";
import { DASHES } from "./formats.js";
import { followPaper } from "./paper.js";

/**
 * Show at once what needs no Plotly, then load it and draw. Where it can't be loaded the stage says so.
 * @param {import("./base.js").Component<{assets: import("./base.js").Assets}>} component
 * @param {object} parts
 * @param {() => void} parts.show  builds the component, with an element `.md-stage` in it
 * @param {(Plotly: PlotlyLibrary) => unknown} parts.draw
 * @param {string} parts.what  could not be drawn, in words: "The chart"
 */
export async function start({ root, host, data }, { show, draw, what }) {
  const shown = loadStyle(root + data.assets.style).then(() => {
    show();
    return painted();
  });
  try {
    const Plotly = await loadPlotly(root + data.assets.plotly, shown);
    await shown;
    await draw(Plotly);
  } catch (error) {
    console.warn("metademo:", error);
    await shown.catch(() => {});
    const stage = host.querySelector(".md-stage") ?? host;
    stage.classList.add("md-drawn");
    stage.replaceChildren(make("p", { className: "md-failure", role: "alert" },
      `${what} could not be drawn: the drawing library did not load. Please reload the page.`));
  }
}

/** A ResizeObserver that also looks when the page is about to be printed, and after that. */
class SizeFollower extends ResizeObserver {
  /** @param {HTMLElement} element  @param {(width: number, height: number) => void} resized */
  constructor(element, resized) {
    super(([{ contentRect: { width, height } }]) => {
      if (width) resized(Math.round(width), Math.round(height));
    });
    this.observe(element);
    this.leavePaper = followPaper(() => {
      if (element.clientWidth) resized(element.clientWidth, element.clientHeight);
    });
  }

  disconnect() {
    this.leavePaper();
    super.disconnect();
  }
}

/**
 * Call `resized` with the size of an element, in whole pixels, now and whenever it changes, also for paper; not while it
 * is hidden.
 * Asking for the size while drawing would make the browser lay out the page at each answer.
 * @param {HTMLElement} element
 * @param {(width: number, height: number) => void} resized
 * @returns {ResizeObserver}
 */
export function followSize(element, resized) { return new SizeFollower(element, resized); }

/**
 * The mark of a curve in a legend.
 * @param {Pick<import("./plot.js").Curve, "color" | "dash" | "width" | "opacity">} curve
 * @param {import("./base.js").Theme} theme
 */
export function lineMark(curve, theme) {
  return svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, svg("path", {
    d: "M1,6H25", stroke: theme.pick(curve.color), "stroke-width": Math.min(curve.width, 4),
    "stroke-dasharray": DASHES[curve.dash] ?? "", opacity: Math.max(curve.opacity, 0.5),
  }));
}

/** The key of the points in a legend. @param {string} text */
export function pointsKey(text) {
  const dot = svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, svg("circle", { cx: 7, cy: 7, r: 5, class: "md-dot" }));
  return make("span", { className: "md-key" }, dot, make("span", {}, text));
}

/** Tell tests and scripts what is drawn. @param {HTMLElement} host  @param {Record<string, unknown>} state */
export function mark(host, state) {
  for (const [name, value] of Object.entries(state)) {
    if (host.dataset[name] !== String(value)) host.dataset[name] = String(value);
  }
}
