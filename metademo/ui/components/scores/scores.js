/**
 * The board and the sweep of the Compare page. Python (scores.py beside it) sends the data.
 *
 * They belong to a chart that is drawn by another fragment, so that a click is answered by the chart alone: they
 * follow its scrubber, and ask the server for a run of their own fragment again and again while measurements are pending.
 *
 * @typedef {{board: ?import("./board.js").BoardData, sweep: ?import("./sweep.js").SweepData, pending: boolean,
 *   page: string, assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * For tests and scripts the host element tells what is drawn: data-ready, data-pending, data-step.
 */

import { loadStyle, make, mount, readTheme } from "../kernel/base.js";
import { followPaper } from "../kernel/paper.js";
import { Board } from "./board.js";
import { sendAlone } from "../kernel/messages.js";
import { shared } from "../kernel/shared.js";
import { mark } from "../kernel/stage.js";
import { Sweep } from "./sweep.js";

const POLL = 400; // ms between two questions whether measurements are there

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Scores(host));
}

class Scores {
  // From the first data on.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {Promise<void>} */ starting;
  /** @type {Board} */ board;
  /** @type {Sweep} */ sweep;
  /** @type {() => void} */ unfollow;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.asked = Date.now(); // no question is like one of an earlier visit to the page
  }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    this.data = component.data;
    this.starting ??= loadStyle(component.root + this.data.assets.style).then(() => this.#build());
    if (this.board) this.#take();
  }

  #build() {
    const place = shared(this.data.page);
    this.board = new Board(place);
    this.sweep = new Sweep();
    this.host.replaceChildren(make("div", { className: "md-chart md-scores" }, this.board.element, this.sweep.element));
    this.host.style.minHeight = "";
    this.#take();
    this.unfollow = place.follow((news) => this.#follow(news));
    this.leavePaper = followPaper(() => this.#take());
  }

  #take() {
    const theme = readTheme(this.host);
    this.board.update(this.data.board, theme);
    this.sweep.update(this.data.sweep, theme);
    mark(this.host, { ready: true, pending: this.data.pending });
    clearInterval(this.polling);
    if (this.data.pending) this.polling = setInterval(() => this.#ask(), POLL);
  }

  /** @param {import("../kernel/shared.js").Values} news */
  #follow({ step, name, pinned }) {
    if (step !== undefined) {
      this.board.show(step);
      this.sweep.show(step);
      this.host.dataset.step = String(Math.round(step));
    }
    if (name !== undefined || pinned !== undefined) {
      const { values } = shared(this.data.page);
      this.board.highlight(values.name ?? null, values.pinned ?? null);
      this.sweep.highlight(values.name ?? null);
    }
  }

  #ask() { sendAlone(() => this.component.setStateValue("asked", (this.asked += 1))); }

  destroy() {
    this.unfollow?.();
    this.leavePaper?.();
    this.sweep?.destroy();
    clearInterval(this.polling);
  }
}
