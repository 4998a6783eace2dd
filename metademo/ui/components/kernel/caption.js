/** The sentence under a chart, and a smaller one below it, one of each for every step. */

import { make, uniqueId } from "./base.js";
import { tell } from "./explain.js";

/**
 * @typedef {import("./base.js").Facts} Facts
 * @typedef {{captions: string[], details: string[], captionFacts: Facts[], detailFacts: Facts[]}} Words  a single one is for all steps
 */

/** Room is kept for the longest one, so that nothing below moves. */
export class Caption {
  /** @type {Words} */ words;
  /** @type {string} */ key;

  constructor() {
    this.now = make("p", { className: "md-now", id: uniqueId("md-now"), "aria-live": "polite", "aria-atomic": "true" });
    this.small = make("p", { className: "md-small" });
    this.room = make("div", { className: "md-room", "aria-hidden": "true" });
    this.smallRoom = make("div", { className: "md-room", "aria-hidden": "true" });
    this.smallStack = make("div", { className: "md-stack" }, this.smallRoom, this.small);
    this.element = make("div", { className: "md-caption" },
      make("div", { className: "md-stack md-large" }, this.room, this.now),
      this.smallStack);
  }

  /** @param {Words} words */
  update(words) {
    const { captions, details, captionFacts, detailFacts } = words;
    const key = JSON.stringify([captions, details, captionFacts, detailFacts]);
    if (key === this.key) return;
    Object.assign(this, { key, words });
    this.element.hidden = captions.length + details.length === 0;
    this.room.replaceChildren(...captions.map((text) => make("p", {}, text)));
    this.smallRoom.replaceChildren(...details.map((text) => make("p", {}, text)));
    this.smallStack.hidden = details.length === 0;
    this.element.classList.toggle("md-detailed", details.length > 0);
  }

  /** @param {number} step  @param {boolean} playing */
  show(step, playing) {
    if (!this.words) return;
    const { captions, details, captionFacts, detailFacts } = this.words;
    const at = (/** @type {unknown[]} */ list) => Math.min(step, list.length - 1);
    this.now.setAttribute("aria-live", playing ? "off" : "polite");
    tell(this.now, captions[at(captions)] ?? "", captionFacts[at(captions)] ?? []);
    tell(this.small, details[at(details)] ?? "", detailFacts[at(details)] ?? []);
  }
}
