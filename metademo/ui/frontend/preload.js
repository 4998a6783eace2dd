/** Starts to load Plotly.js before the page is there that needs it. Shows nothing and takes no room. */

import { loadPlotly } from "./base.js";

export default function render({ root, data, parentElement }) {
  const box = parentElement.closest(".stElementContainer");
  if (box) box.style.display = "none";
  loadPlotly(root + data.assets.plotly, Promise.resolve()).catch(() => {}); // the chart will say so
}
