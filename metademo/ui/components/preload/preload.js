/** Starts to load Plotly.js before the page is there that needs it, and says what the links beside it are. */

import { loadPlotly, set } from "../kernel/base.js";

/** @param {import("../kernel/base.js").Component<{assets: import("../kernel/base.js").Assets}>} component */
export default function render({ root, data, parentElement }) {
  const links = parentElement.closest(".st-key-frame")?.querySelector(".st-key-pages");
  if (links) set(links, { role: "navigation", "aria-label": "Pages" });
  loadPlotly(root + data.assets.plotly, Promise.resolve()).catch(() => {}); // the chart will say so
}
