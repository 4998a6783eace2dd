/** A sign: its drawings, what the network sees of them, and how sure each learner is that the question is one of it. */

import { make } from "../kernel/base.js";
import { Answers } from "./answers.js";
import { Seen } from "../kernel/seen.js";

/** @typedef {import("./pad.js").Pad} Pad */

export class Row {
  /** @param {number} sign  @param {(example: number) => Pad} pad  makes the one for an example */
  constructor(sign, pad) {
    this.pad = pad;
    /** @type {Pad[]} */
    this.pads = [];
    /** @type {Seen[]} */
    this.seen = [];
    this.answers = new Answers();
    this.drawings = make("div", { className: "md-examples" });
    this.element = make("li", {}, make("span", { className: "md-number", "aria-hidden": "true" }, String(sign + 1)),
      this.drawings, this.answers.element);
  }

  /**
   * @param {object} now
   * @param {string[]} now.drawings
   * @param {string[]} now.labels  what each of them is, in words
   * @param {boolean[]} now.given  whether each is ready-made
   * @param {string[]} now.seen  what the network sees of each
   * @param {import("./answers.js").Answer[]} now.answers
   * @param {number} now.place  of the sign among those that they choose among
   * @param {boolean} now.editable
   * @param {import("../kernel/base.js").Theme} now.theme
   */
  update({ drawings, labels, given, seen, answers, place, editable, theme }) {
    while (this.pads.length > drawings.length) {
      this.pads.pop()?.destroy();
      this.seen.pop();
      this.drawings.lastChild?.remove();
    }
    while (this.pads.length < drawings.length) {
      const [pad, image] = [this.pad(this.pads.length), new Seen()];
      this.pads.push(pad);
      this.seen.push(image);
      this.drawings.append(make("div", { className: "md-example" }, pad.element, image.element));
    }
    this.pads.forEach((one, k) => one.show(drawings[k], labels[k], editable, given[k]));
    this.seen.forEach((one, k) => one.show(seen[k] ?? "", theme));
    this.answers.update(answers, place, theme);
  }

  destroy() { for (const pad of this.pads) pad.destroy(); }
}
