/** How sure each learner is that the question is one of the signs: a bar for each of them beside each sign. */

import { make, say, set, svg } from "../kernel/base.js";
import { explained } from "../kernel/explain.js";
import { DASHES, percent } from "../kernel/formats.js";
import { between } from "../kernel/rows.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {import("../kernel/base.js").Series & {about: string, shares: number[][]}} Answer  of a learner: a row for each
 *   step, with a share for each of the signs that it chooses among
 */

export class Answers {
  constructor() {
    /** @type {Bar[]} */
    this.bars = [];
    /** @type {Answer[]} */
    this.answers = [];
    this.place = -1;
    this.element = make("ul", { className: "md-answers" });
  }

  /**
   * @param {Answer[]} answers
   * @param {number} place  of this sign among those that they choose among; -1 if it is none of them
   * @param {Theme} theme
   */
  update(answers, place, theme) {
    this.place = place;
    this.answers = answers;
    while (this.bars.length > answers.length) this.bars.pop();
    while (this.bars.length < answers.length) this.bars.push(new Bar());
    const rows = this.bars.map((bar) => bar.element);
    if (rows.length !== this.element.children.length || rows.some((row, i) => row !== this.element.children[i])) {
      this.element.replaceChildren(...rows);
    }
    this.bars.forEach((bar, i) => bar.update(answers[i], theme));
  }

  /** @param {number} at  of the scrubber; may lie between two steps */
  show(at) {
    this.bars.forEach((bar, i) => {
      const { shares } = this.answers[i];
      const row = shares.length ? between(shares, Math.min(at, shares.length - 1)) : [];
      bar.show(row[this.place] ?? null, row);
    });
  }
}

class Bar {
  constructor() {
    this.mark = svg("path", { d: "M1,4H17", "stroke-width": 3, fill: "none" });
    this.name = make("span", { className: "md-answer-name" });
    this.fill = make("i");
    this.share = make("b");
    this.element = make("li", {}, svg("svg", { width: 18, height: 8, "aria-hidden": "true" }, this.mark), this.name,
      make("span", { className: "md-answer-bar", "aria-hidden": "true" }, this.fill), this.share);
  }

  /** @param {Answer} answer  @param {Theme} theme */
  update(answer, theme) {
    const color = theme.pick(answer.color);
    set(this.mark, { stroke: color, "stroke-dasharray": DASHES[answer.dash] ?? "" });
    this.element.style.setProperty("--color", color);
    say(this.name, answer.label);
    explained(this.name, answer.about);
  }

  /** @param {?number} share  @param {number[]} row  those of all signs */
  show(share, row) {
    say(this.share, share === null ? "–" : percent(share));
    this.fill.style.width = `${100 * (share ?? 0)}%`;
    const ahead = share !== null && row.every((other) => other <= share) && row.some((other) => percent(other) !== percent(share));
    this.element.classList.toggle("md-ahead", ahead);
  }
}
