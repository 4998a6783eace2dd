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

import { make, mount, readTheme } from "../kernel/base.js";
import { Beside } from "../kernel/beside.js";
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

/** @extends {Beside<Data>} */
class Scores extends Beside {
  // From when it is built.
  /** @type {Board} */ board;
  /** @type {Sweep} */ sweep;

  /** @param {HTMLElement} host */
  constructor(host) {
    super(host);
    this.asked = Date.now(); // no question is like one of an earlier visit to the page
  }

  build() {
    this.board = new Board(shared(this.data.page));
    this.sweep = new Sweep();
    return make("div", { className: "md-chart md-scores" }, this.board.element, this.sweep.element);
  }

  take() {
    const theme = readTheme(this.host);
    this.board.update(this.data.board, theme);
    this.sweep.update(this.data.sweep, theme);
    mark(this.host, { ready: true, pending: this.data.pending });
    clearInterval(this.polling);
    if (this.data.pending) this.polling = setInterval(() => this.#ask(), POLL);
  }

  /** @param {import("../kernel/shared.js").Values} news */
  follow({ step, name, pinned }) {
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
    super.destroy();
    this.sweep?.destroy();
    clearInterval(this.polling);
  }
}
