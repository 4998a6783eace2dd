/** What every component of metademo shares: mounting, styles, Plotly.js, the theme, the line to the server. */

import { DASHES } from "./formats.js";
import { onPaper } from "./paper.js";

/**
 * @template Data  what the component's Python sends
 * @typedef {object} Component  what Streamlit's Components v2 hands over at each rerun, plus two of ours
 * @property {Data} data
 * @property {HTMLElement} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {string} root  URL of the app, with a slash at its end
 * @property {HTMLElement} host  our own element in the page; it lives as long as the component does
 */

/**
 * @template Data
 * @typedef {{update(component: Component<Data>): void, destroy(): void}} Instance  what draws a component
 */

/**
 * @typedef {{module: string, style: string, plotly: string}} Assets  where files are, as seen from the app's root
 * @typedef {[light: string, dark: string]} Colors  of something that is drawn, in either theme
 * @typedef {{label: string, color: Colors, dash: string}} Series  what a line stands for, and how it looks
 * @typedef {[shown: string, about: string][]} Facts  the numbers of a sentence in turn, and how each was computed
 * @typedef {ReturnType<typeof readTheme>} Theme
 * @typedef {<Name extends keyof HTMLElementEventMap>(
 *   name: Name, what: (event: HTMLElementEventMap[Name]) => unknown, options?: AddEventListenerOptions) => void} Listen
 */

/** @type {WeakMap<HTMLElement, Instance<unknown>>} */
const living = new WeakMap();

/**
 * Make one instance per host element and hand it every rerun's data. The function that Streamlit gets back may be
 * called for a rerun that was overtaken, not only at the end, so it looks whether the host is really gone.
 * @template Data
 * @param {Component<Data>} component
 * @param {(host: HTMLElement) => Instance<Data>} create
 */
export function mount(component, create) {
  const { host } = component;
  if (!living.has(host)) living.set(host, create(host));
  living.get(host)?.update(component);
  return () => setTimeout(() => {
    if (host.isConnected) return;
    living.get(host)?.destroy();
    living.delete(host);
  }, 1000);
}

/** Load our style sheet once; resolves when it applies (or failed: an unstyled chart beats none). @param {string} url */
export function loadStyle(url) {
  /** @type {?HTMLLinkElement} */
  const known = document.querySelector("link[data-metademo-style]");
  if (known && known.href === url) return known.ready ?? Promise.resolve();
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
  link.dataset.metademoStyle = "";
  link.ready = new Promise((done) => { link.onload = link.onerror = done; });
  document.head.append(link);
  link.ready.then(() => known?.remove());
  return link.ready;
}

/** @type {?Promise<PlotlyLibrary>} */
let plotly = null;

/**
 * Load Plotly.js once. The server keeps it gzipped, so it is unpacked here. Running its 1.5 MB holds up the page for
 * a moment, so it waits until what can be shown without it is shown.
 * @param {string} url
 * @param {Promise<unknown>} shown
 * @returns {Promise<PlotlyLibrary>}
 */
export function loadPlotly(url, shown) {
  plotly ??= fetchScript(url, shown).then(() => {
    if (!window.Plotly) throw new Error("Plotly.js came without its content");
    return window.Plotly;
  });
  plotly.catch(() => { plotly = null; });
  return plotly;
}

/** @param {string} url  @param {Promise<unknown>} shown */
async function fetchScript(url, shown) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`Plotly.js: HTTP ${answer.status}`);
  let bytes = await answer.blob();
  const start = new Uint8Array(await bytes.slice(0, 2).arrayBuffer());
  if (start[0] === 0x1f && start[1] === 0x8b) {
    const unpacked = bytes.stream().pipeThrough(new DecompressionStream("gzip"));
    bytes = await new Response(unpacked).blob();
  }
  await shown;
  const blob = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  const script = document.createElement("script");
  try {
    await new Promise((done, fail) => {
      script.onload = done;
      script.onerror = () => fail(new Error("Plotly.js did not run"));
      script.src = blob;
      document.head.append(script);
    });
  } finally {
    URL.revokeObjectURL(blob);
  }
}

/**
 * Streamlit's theme as it applies to an element; on paper, a light one.
 * @param {HTMLElement} element
 */
export function readTheme(element) {
  const light = onPaper();
  const style = getComputedStyle(element);
  /** @type {(name: string, otherwise: string) => string} */
  const read = (name, otherwise) => (light && name.endsWith("-color") ? "" : style.getPropertyValue(`--st-${name}`).trim()) || otherwise;
  const background = rgb(read("background-color", "#ffffff"));
  const text = rgb(read("text-color", "#31333f"));
  const dark = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] < 128;
  return {
    dark,
    font: read("font", "sans-serif"),
    background: `rgb(${background})`,
    text: `rgb(${text})`,
    /** the text colour, faded @param {number} opacity */
    ink: (opacity) => `rgba(${text},${opacity})`,
    /** the one of two that is for this theme @param {Colors} pair */
    pick: (pair) => pair[dark ? 1 : 0],
    key: [dark, background, text, read("font", "")].join(),
  };
}

const pen = /** @type {CanvasRenderingContext2D} */ (
  document.createElement("canvas").getContext("2d", { willReadFrequently: true }));

/** Any CSS colour as [red, green, blue]. @param {string} color @returns {number[]} */
export function rgb(color) {
  pen.fillStyle = "#000";
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/**
 * Make an element: make("p", {className: "x"}, child, ...). Names with a dash become attributes.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node|string)[]} children
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, properties);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an SVG element; all properties become attributes.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} attributes
 * @param {(Node|string)[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** Set attributes that differ. @param {Element} element  @param {Record<string, unknown>} attributes */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
}

/** @param {any} element  @param {Record<string, unknown>} properties */
function assign(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
}

/** Change text only if it differs, so that screen readers speak only news. @param {Node} element  @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Resolves when the browser has painted what is in the page now (at the latest soon, if the page is hidden). */
export function painted() {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 200);
  });
}

/** An id that no other element has. @param {string} name */
export const uniqueId = (name) => `${name}-${Math.random().toString(36).slice(2)}`;

/**
 * A place for a series' value, with a piece of its line and, if it is one of several, with its name.
 * @param {Series} series
 * @param {Theme} theme
 * @param {boolean} named
 */
export function valueOf(series, theme, named) {
  const mark = svg("svg", { width: 26, height: 8, "aria-hidden": "true" }, svg("path", {
    d: "M1,4H25", stroke: theme.pick(series.color), "stroke-width": 3, "stroke-dasharray": DASHES[series.dash] ?? "",
  }));
  const name = named ? make("span", { className: "md-value-name" }, series.label) : "";
  return make("span", {}, mark, name, make("button", { type: "button", className: "md-fact" }));
}
