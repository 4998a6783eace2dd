/**
 * The charts of a page as pictures to keep: each chart offers what it shows, and whoever draws a button asks for it.
 *
 * @typedef {{name: string, visible: boolean}} Key  how a trace is called, and whether the legend has it
 * @typedef {{element: {data: object[], layout: {font?: object}}, Plotly: PlotlyLibrary}} Plotted  a figure of Plotly's
 * @typedef {{plot: Plotted, theme: import("./base.js").Theme, keys: Key[], points: [number, number][],
 *   pointsLabel: string, when: string}} Shown  what a chart shows at this moment; `keys` in the order of the plot's curves, `when` is the
 *   step that it shows, in words
 * @typedef {{title: string, link: string, citation: string}} About  what stands around it
 * @typedef {"png" | "svg"} Format
 */

const WIDTH = 1000;
const HEIGHT = 520; // of the title and the plot
const LINE = 15; // height of a line of small print
const COLUMNS = 150; // characters in it
const ROOM = 1.8 * WIDTH; // for a title: pixels of a letter's height, all in all
const SCALE = 2; // pixels of a PNG for each of ours

const MARGIN = { l: 50, r: 24, t: 86 };
export const PLOT = { width: WIDTH - MARGIN.l - MARGIN.r, height: HEIGHT - MARGIN.t }; // in pixels, what lies within

/** @typedef {() => ?Shown | Promise<Shown>} Offer  null where there is no chart */
/** @type {Map<string, Offer>} */
const offered = new Map();

/**
 * @param {string} page
 * @param {Offer} shown  asked when a picture is wanted
 * @returns {() => void} takes the offer back
 */
export function offer(page, shown) {
  offered.set(page, shown);
  return () => { if (offered.get(page) === shown) offered.delete(page); };
}

/**
 * The picture of a page's chart, as an address of its data; null if there is no chart.
 * @param {string} page
 * @param {About} about
 * @param {Format} format
 * @returns {Promise<?string>}
 */
export async function picture(page, about, format) {
  const shown = await offered.get(page)?.();
  if (!shown) return null;
  const { data, layout } = figure(shown, about);
  return shown.plot.Plotly.toImage({ data, layout }, { format, width: layout.width, height: layout.height, scale: format === "png" ? SCALE : 1 });
}

/**
 * The figure on the page, with a legend, a title, and small print below.
 * @param {Shown} shown
 * @param {About} about
 */
export function figure({ plot, theme, keys, points, pointsLabel, when }, { title, link, citation }) {
  const print = [...lines(citation).map(escaped), ...lines(link).map((line) => `<a href="${escaped(link)}">${escaped(line)}</a>`)];
  const heading = [title, when].filter(Boolean).join(", ");
  const below = 62 + print.length * LINE;
  /** @type {object[]} */
  const data = plot.element.data.map((trace, i) => ({ ...trace, name: entry(keys[i].name), showlegend: keys[i].visible }));
  if (points.length) {
    data.push({
      type: "scatter", mode: "markers", cliponaxis: false, name: entry(pointsLabel), x: points.map(([x]) => x), y: points.map(([, y]) => y),
      marker: { size: 11, color: theme.text, line: { width: 2, color: theme.background } },
    });
  }
  const { layout } = plot.element;
  const height = HEIGHT + below;
  return {
    data,
    layout: {
      ...layout,
      width: WIDTH, height, showlegend: true, paper_bgcolor: theme.background, plot_bgcolor: theme.background,
      font: { ...layout.font, family: `${theme.font}, sans-serif` },
      margin: { ...MARGIN, b: below, pad: 0 },
      title: { text: escaped(heading), x: 0.5, xanchor: "center", y: 1 - 24 / height, yanchor: "top", font: { size: Math.min(20, ROOM / heading.length) } },
      legend: { orientation: "h", x: 0.5, xanchor: "center", y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
      annotations: [{
        text: print.join("<br>"), xref: "paper", yref: "paper", x: 0, xanchor: "left", y: 0, yanchor: "top", yshift: -42,
        align: "left", showarrow: false, font: { size: 11, color: theme.ink(0.7) },
      }],
    },
  };
}

/** A text in lines, cut where it has no room: an address has no spaces. @param {string} text @returns {string[]} */
export function lines(text) {
  return text.match(new RegExp(`.{1,${COLUMNS}}(?= |$)|.{1,${COLUMNS}}`, "g"))?.map((line) => line.trim()) ?? [];
}

/** A name in the legend, with room behind it. @param {string} name */
const entry = (name) => `${escaped(name)}\u2003`;

/** Text that Plotly shows as it is. @param {string} text */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
