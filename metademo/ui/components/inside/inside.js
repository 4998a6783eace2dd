/**
 * Pictures that follow the scrubber of a page's chart. Python (inside.py beside it) sends the data; see
 * kernel/insights.py for what each field means.
 *
 * @typedef {import("./lines.js").LinesData | import("./map.js").MapData | import("./image.js").ImageData} FigureData
 * @typedef {{title: string, about: string, figures: FigureData[], panels: import("../kernel/panels.js").PanelData[]}} InsightData
 * @typedef {{insights: InsightData[], steps: number, page: string, assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-step.
 */

import { make, mount, readTheme, say } from "../kernel/base.js";
import { Beside } from "../kernel/beside.js";
import { Panels } from "../kernel/panels.js";
import { mark } from "../kernel/stage.js";
import { Lines } from "./lines.js";
import { PlaneMap } from "./map.js";
import { Image } from "./image.js";

const KINDS = { lines: Lines, map: PlaneMap, image: Image };

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Inside(host));
}

/** @extends {Beside<Data>} */
class Inside extends Beside {
  // From when it is built.
  /** @type {HTMLElement} */ element;

  /** @param {HTMLElement} host */
  constructor(host) {
    super(host);
    /** @type {Insight[]} */
    this.insights = [];
    this.at = 0;
  }

  build() {
    this.element = make("div", { className: "md-chart md-inside" });
    return this.element;
  }

  /** @param {import("../kernel/shared.js").Values} news */
  follow({ step }) { if (step !== undefined) this.#show(step); }

  take() {
    const theme = readTheme(this.host);
    const { insights, steps } = this.data;
    while (this.insights.length > insights.length) this.insights.pop()?.destroy();
    while (this.insights.length < insights.length) {
      const insight = new Insight();
      this.insights.push(insight);
      this.element.append(insight.element);
    }
    insights.forEach((data, i) => this.insights[i].update(data, steps, theme));
    this.#show(this.at);
    mark(this.host, { ready: true });
  }

  /** @param {number} step  between two steps while it plays */
  #show(step) {
    this.at = step;
    const at = Math.min(step, this.data.steps);
    for (const insight of this.insights) insight.show(at);
    mark(this.host, { step: Math.round(at) });
  }

  destroy() {
    super.destroy();
    for (const insight of this.insights) insight.destroy();
  }
}

/** Pictures that belong together. */
class Insight {
  constructor() {
    this.title = make("h2", {});
    this.about = make("p", {});
    this.row = make("div", { className: "md-figures" });
    this.panels = new Panels(() => {});
    this.element = make("section", {}, this.title, this.about, this.row, this.panels.element);
    /** @type {(Lines | PlaneMap | Image)[]} */
    this.figures = [];
    this.kinds = "";
  }

  /** @param {InsightData} data  @param {number} steps  @param {import("../kernel/base.js").Theme} theme */
  update(data, steps, theme) {
    say(this.title, data.title);
    say(this.about, data.about);
    const kinds = data.figures.map(({ kind }) => kind).join();
    if (kinds !== this.kinds) {
      for (const figure of this.figures) figure.destroy();
      this.kinds = kinds;
      this.figures = data.figures.map(({ kind }) => new KINDS[kind]());
      this.row.replaceChildren(...this.figures.map((figure) => figure.element));
    }
    this.figures.forEach((figure, i) => figure.update(/** @type {any} */ (data.figures[i]), theme));
    this.panels.update(data.panels, steps, theme);
  }

  /** @param {number} at */
  show(at) {
    for (const figure of this.figures) figure.show(at);
    this.panels.show(at);
  }

  destroy() {
    for (const figure of this.figures) figure.destroy();
    this.panels.update([], 0, /** @type {any} */ ({}));
  }
}
