/** Starts to load Plotly.js, and the fonts of long texts, before the page is there that needs them, and says what the links beside it are. */

import { loadPlotly, make, set } from "../kernel/base.js";

export default function render({ root, data, parentElement }) {
  const links = parentElement.closest(".st-key-frame")?.querySelector(".st-key-pages");
  if (links) set(links, { role: "navigation", "aria-label": "Pages" });
  for (const font of data.fonts) {
    document.head.append(make("link", { rel: "preload", as: "font", href: root + font, crossOrigin: "anonymous" }));
  }
  loadPlotly(root + data.assets.plotly, Promise.resolve()).catch(() => {}); // the chart will say so
}
