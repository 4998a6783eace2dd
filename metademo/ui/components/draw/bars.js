/** The drawings and the answers as one figure, for a picture to keep. No page in here. */

import { percent } from "../kernel/formats.js";
import { PLOT } from "../kernel/pictures.js";
import { SIDE, pathOf, strokesOf } from "./strokes.js";

/**
 * @typedef {import("./answers.js").Answer} Answer
 * @typedef {import("./strokes.js").Drawn} Drawn
 * @typedef {import("../kernel/base.js").Theme} Theme
 */

const SHARE = 0.42; // of the height: the drawings, above the bars
const ROOM = 12; // pixels around a drawing
const INK = 0.025; // of its side: how wide a line of a drawing is
const GAP = 0.3; // of a column, without bars
const LABEL = 38; // pixels that a bar's number takes
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/**
 * Side by side the question and the signs, each sign with a bar of each learner below it.
 * @param {Drawn} drawn
 * @param {number[]} ways  the signs that there are shares of
 * @param {Answer[]} answers
 * @param {number} step
 * @param {Theme} theme
 */
export function barsOf({ signs, question }, ways, answers, step, theme) {
  const columns = [[question], ...signs];
  const height = SHARE * PLOT.height;
  const upright = (PLOT.width / columns.length) * (1 - GAP) < answers.length * LABEL;
  /** @type {object[]} */
  const data = answers.map(({ shares, color, label }) => {
    const row = shares[Math.min(step, shares.length - 1)];
    return {
      type: "bar", name: label, x: ways.map((sign) => sign + 1), y: row, marker: { color: theme.pick(color) },
      text: row.map(percent), textposition: "outside", textangle: upright ? -90 : 0, constraintext: "none", cliponaxis: false,
    };
  });
  // An axis is there where a trace is, and drawings are none.
  data.push({ type: "scatter", mode: "none", x: [0], y: [0], xaxis: "x2", yaxis: "y2" });
  const keys = [...answers.map(({ label }) => ({ name: label, visible: true })), { name: "drawings", visible: false }];
  const plain = { fixedrange: true, zeroline: false, showline: false, showgrid: false, ticks: "" };
  const layout = {
    template: {}, separators: ".", font: { color: theme.text }, bargap: GAP,
    xaxis: {
      ...plain, range: [-0.5, columns.length - 0.5], tickmode: "array", tickvals: columns.map((_, k) => k),
      ticktext: columns.map((_, k) => (k ? `sign ${k}` : "the question")), tickfont: { size: 14 },
    },
    yaxis: {
      ...plain, domain: [0, 0.9 - SHARE], range: [0, 1], tickmode: "array", tickvals: TICKS, ticktext: TICKS.map(percent),
      showgrid: true, gridcolor: theme.ink(0.07), tickfont: { color: theme.ink(0.6), size: 12 },
    },
    xaxis2: { ...plain, range: [0, PLOT.width], anchor: "y2", showticklabels: false },
    yaxis2: { ...plain, range: [height, 0], domain: [1 - SHARE, 1], anchor: "x2", showticklabels: false },
    shapes: columns.flatMap((drawings, k) => {
      const width = PLOT.width / columns.length / drawings.length;
      const side = Math.min(width, height) - ROOM;
      const middle = (/** @type {number} */ i) => (k * drawings.length + i + 0.5) * width;
      return drawings.flatMap((drawing, i) => shapesOf(drawing, middle(i) - side / 2, (height - side) / 2, side, theme));
    }),
  };
  return { data, layout, keys };
}

/**
 * A drawing in its frame, as Plotly's shapes, in pixels.
 * @param {string} drawing
 * @param {number} left
 * @param {number} top
 * @param {number} side
 * @param {Theme} theme
 */
function shapesOf(drawing, left, top, side, theme) {
  const place = { xref: "x2", yref: "y2" };
  const frame = { ...place, type: "rect", x0: left, x1: left + side, y0: top, y1: top + side, line: { color: theme.ink(0.2), width: 1 } };
  const inside = 0.06 * side;
  const scale = (side - 2 * inside) / SIDE;
  const strokes = strokesOf(drawing).map((points) => points.map(([x, y]) => (
    /** @type {[number, number]} */ ([left + inside + scale * x, top + inside + scale * y]))));
  if (!strokes.length) return [frame];
  return [frame, { ...place, type: "path", path: pathOf(strokes), line: { color: theme.text, width: INK * side } }];
}
