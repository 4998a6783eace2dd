/** Which of the visitor's points push a unit, as bars. */

import { make, say } from "../kernel/base.js";
import { pretty } from "../kernel/formats.js";
import { explained } from "../kernel/explain.js";

const ABOUT = "How far the next step, by this point's share of the loss alone, moves the unit's own weights: those that "
  + "come in, its bias, and those that go out. Faint: the hardest push of all steps.";

export class Pushes {
  constructor() {
    this.title = explained(make("button", { type: "button", className: "md-fact md-panel-title" }), ABOUT);
    this.list = make("ul", { className: "md-pushes" });
    this.element = make("div", { className: "md-pushes-room" }, this.title, this.list);
    /** @type {{row: HTMLElement, most: HTMLElement, bar: HTMLElement, value: HTMLElement}[]} */
    this.rows = [];
  }

  /** @param {string[]} seen  what pushes, in words */
  update(seen) {
    this.element.hidden = !seen.length;
    this.rows = seen.map((name) => {
      const [most, bar, value] = [make("i", { className: "md-push-most" }), make("i"), make("b")];
      const row = make("li", {}, make("span", {}, name), make("span", { className: "md-push", "aria-hidden": "true" }, most, bar), value);
      return { row, most, bar, value };
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => row));
  }

  /** @param {Float64Array} pushes  of each  @param {Float64Array} hardest  of each, at any step */
  show(pushes, hardest) {
    const whole = Math.max(...hardest) || 1;
    this.rows.forEach(({ most, bar, value }, i) => {
      most.style.width = `${(100 * hardest[i]) / whole}%`;
      bar.style.width = `${(100 * (pushes[i] || 0)) / whole}%`;
      say(value, pretty(pushes[i]));
    });
  }

  /** @param {string} unit  its name  @param {number} step */
  name(unit, step) { say(this.title, `What pushes ${unit} at step ${step}`); }
}
