/**
 * Starts to load Plotly.js, and the fonts of long texts, before the page is there that needs them, and says what the links
 * beside it are. It is called at each run of the page.
 */

import { loadPlotly, make, set } from "../kernel/base.js";

export default function render({ root, data, parentElement }) {
  const links = parentElement.closest(".st-key-frame")?.querySelector(".st-key-pages");
  if (links) set(links, { role: "navigation", "aria-label": "Pages" });
  for (const href of data.fonts.map((font) => root + font)) {
    if (document.querySelector(`link[href="${href}"]`)) continue;
    document.head.append(make("link", { rel: "preload", as: "font", href, crossOrigin: "anonymous" }));
  }
  loadPlotly(root + data.assets.plotly, Promise.resolve()).catch(() => {}); // the chart will say so
}
