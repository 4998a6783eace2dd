/**
 * One outer step in slow motion: the waves of its meta-batch, the space of weights below them, and a scrubber over its
 * stages. Python (outer_step.py beside it) sends all of them at once.
 *
 * @typedef {import("./waves.js").WavesData & import("./plane.js").PlaneData & import("../kernel/caption.js").Words
 *   & {page: string, step: string, moment: {address: string, shows: string}, playSeconds: number,
 *   assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-step (which outer step), data-stage.
 */

import { arrived } from "../kernel/address.js";
import { loadStyle, make, mount, readTheme, svg } from "../kernel/base.js";
import { Caption } from "../kernel/caption.js";
import { followPaper } from "../kernel/paper.js";
import { Plane } from "./plane.js";
import { Scrubber } from "../kernel/scrubber.js";
import { bringsForward, shared } from "../kernel/shared.js";
import { lineMark, mark } from "../kernel/stage.js";
import { Waves } from "./waves.js";

/** @typedef {[name: string, label: string, mark: SVGElement]} Key  of a legend */

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new OuterStep(host));
}

class OuterStep {
  // From the first data on; the second half from when it is built.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {Promise<void>} */ starting;
  /** @type {Waves} */ waves;
  /** @type {Plane} */ plane;
  /** @type {Scrubber} */ scrubber;
  /** @type {Caption} */ caption;
  /** @type {HTMLElement} */ above;
  /** @type {HTMLElement} */ below;
  /** @type {import("../kernel/shared.js").Shared} */ shared;
  /** @type {() => void} */ unfollow;
  /** @type {() => void} */ leavePaper;
  /** @type {string} */ step;
  /** @type {string} */ legendKey;

  /** @param {HTMLElement} host */
  constructor(host) { this.host = host; }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    this.data = component.data;
    if (this.waves) this.#take();
    this.starting ??= loadStyle(component.root + this.data.assets.style).then(() => {
      this.#build();
      this.#take();
    });
  }

  #build() {
    this.waves = new Waves();
    this.plane = new Plane();
    this.scrubber = new Scrubber((at, playing) => this.#show(at, playing));
    this.scrubber.range.setAttribute("aria-label", "Stage of the outer step");
    this.caption = new Caption();
    this.above = make("div", { className: "md-legend" });
    this.below = make("div", { className: "md-legend" });
    this.host.replaceChildren(make("div", { className: "md-chart md-outer" },
      this.above, this.waves.element, this.below, this.plane.element, this.scrubber.element, this.caption.element));
    this.host.style.minHeight = "";
    this.shared = shared(this.data.page);
    this.unfollow = this.shared.follow((news) => this.#light(news));
    this.leavePaper = followPaper(() => this.#draw());
    // A change of Streamlit's theme comes without new data.
    this.themes = new MutationObserver(() => this.#draw());
    this.themes.observe(document.querySelector(".stApp") ?? document.body, { attributes: true });
  }

  #take() {
    const { data, scrubber } = this;
    const fresh = data.step !== this.step;
    const at = this.step === undefined ? arrived(data.page).at ?? data.names.length : 0;
    this.step = data.step;
    if (fresh) scrubber.stop();
    scrubber.update({ steps: data.names.length - 1, names: data.names, seconds: data.playSeconds });
    this.caption.update(data);
    this.#draw();
    if (fresh) scrubber.go(at);
    else this.#show(scrubber.at, scrubber.playing);
    mark(this.host, { ready: true, step: data.step });
  }

  #draw() {
    const theme = readTheme(this.host);
    this.waves.update(this.data, theme);
    this.plane.update(this.data, theme);
    this.#drawLegends(theme);
  }

  /** @param {number} at  @param {boolean} playing */
  #show(at, playing) {
    const { data } = this;
    const stage = Math.round(at);
    this.waves.show(at);
    this.plane.show(at);
    this.caption.show(stage, playing);
    const last = stage === data.names.length - 1;
    this.shared.set({ ...data.moment, at: last ? "" : String(stage), stands: last ? "" : `stage “${data.names[stage]}”` });
    mark(this.host, { stage });
  }

  /** @param {import("../kernel/base.js").Theme} theme */
  #drawLegends(theme) {
    const { data } = this;
    const key = JSON.stringify([theme.key, data.directions]);
    if (key === this.legendKey) return;
    this.legendKey = key;
    const { maml, truth } = data.looks;
    /** @param {import("./waves.js").Look} look  @param {number} width  @param {number} opacity */
    const line = (look, width, opacity = 1) => lineMark({ ...look, width, opacity }, theme);
    /** @param {string} name */
    const dot = (name) => svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, svg("circle", { cx: 7, cy: 7, r: 4.5, class: name }));
    const arrow = svg("svg", { width: 26, height: 12, "aria-hidden": "true", class: "md-back" }, svg("path", { d: "M1,6H19" }),
      svg("path", { d: "M25,6L17,2V10Z", class: "md-head-mark" }));
    this.above.replaceChildren(
      ...[[line(truth, 1.5), "the wave"], [line(maml, 1.5, 0.4), "before"], [line(maml, 3), "the network"]].map(([drawn, label]) =>
        make("span", { className: "md-key" }, drawn, make("span", {}, label))),
      ...this.#keys([
        ["support", "support set", dot("md-dot")],
        ["query", "query set", dot("md-query")],
      ]));
    this.below.replaceChildren(...this.#keys([
      ["theta", "inner loops", line(maml, 2)],
      ["lambda", "−λ, on its way back", arrow],
      ...data.directions.map((direction) => /** @type {Key} */ ([
        direction.name === "maml" ? "g" : direction.name,
        [direction.label, direction.angle && `(${direction.angle} from MAML)`].filter(Boolean).join(" "),
        line(direction, 3),
      ])),
    ]));
    this.#light(this.shared.values);
  }

  /** @param {Key[]} keys */
  #keys(keys) {
    return keys.map(([name, label, drawn]) => {
      const key = make("button", { type: "button", className: "md-key md-name" }, drawn, make("span", {}, label));
      key.dataset.name = name;
      bringsForward(key, key, this.shared, name);
      return key;
    });
  }

  /** Bring what has a name forward. @param {import("../kernel/shared.js").Values} news */
  #light({ name, pinned }) {
    if (name === undefined && pinned === undefined) return;
    const { values } = this.shared;
    this.waves.light(values.name ?? null);
    this.plane.light(values.name ?? null);
    for (const key of /** @type {NodeListOf<HTMLElement>} */ (this.host.querySelectorAll(".md-key[data-name]"))) {
      key.classList.toggle("md-front", key.dataset.name === values.name);
      key.setAttribute("aria-pressed", String(key.dataset.name === values.pinned));
    }
  }

  destroy() {
    this.unfollow?.();
    this.leavePaper?.();
    this.themes?.disconnect();
    this.scrubber?.stop();
    this.waves?.destroy();
    this.plane?.destroy();
  }
}
