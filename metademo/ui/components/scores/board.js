/** A table of scores that follows the scrubber: each learner's error on this task and on many others. */

import { make, say, svg } from "../kernel/base.js";
import { DASHES } from "../kernel/formats.js";
import { explained } from "../kernel/explain.js";
import { errorText, logScale } from "../kernel/scales.js";
import { bringsForward, fade } from "../kernel/shared.js";

/**
 * @typedef {import("../kernel/base.js").Theme} Theme
 * @typedef {import("../kernel/base.js").Series & {about: string, note: string, missing: string, mean: (?number)[],
 *   half: (?number)[], spread: (?number)[][], mine: (?number)[], better: (?number)[],
 *   formulas: Record<string, string[]>}} Score
 * @typedef {{title: string, tasks: string, note: string, scores: Score[]}} BoardData
 */

export class Board {
  // From the first data on.
  /** @type {BoardData} */ data;
  /** @type {string} */ key;
  /** @type {import("../kernel/scales.js").Scale} */ scale;

  /** @param {import("../kernel/shared.js").Shared} place  where the learner that is pointed at is brought forward */
  constructor(place) {
    this.place = place;
    this.title = make("caption");
    this.head = make("tr");
    this.body = make("tbody");
    this.axis = make("div", { className: "md-strip-axis", "aria-hidden": "true" });
    this.note = make("p", { className: "md-small" });
    const foot = make("tr", {}, make("td", { colSpan: 3 }), make("td", {}, this.axis));
    this.element = make("div", { className: "md-board" },
      make("table", {}, this.title, make("thead", {}, this.head), this.body, make("tfoot", {}, foot)), this.note);
    /** @type {Row[]} */
    this.rows = [];
    this.at = 0;
    /** @type {?string} */
    this.front = null;
    /** @type {?string} */
    this.pinned = null;
  }

  /** @param {?BoardData} data  @param {Theme} theme */
  update(data, theme) {
    this.element.hidden = !data;
    const key = JSON.stringify([data, theme.key]);
    if (!data || key === this.key) return;
    Object.assign(this, { key, data });
    say(this.title, data.title);
    say(this.note, data.note);
    const headings = ["", "this task", data.tasks, "spread of the error, logarithmic"];
    this.head.replaceChildren(...headings.map((text) => (text ? make("th", { scope: "col" }, text) : make("td"))));
    this.scale = logScale(data.scores.flatMap((s) => [...s.mine, ...s.spread.flat()]));
    this.axis.replaceChildren(...this.scale.ticks.map((v) => tick(this.scale.share(v), this.scale.name(v))));
    const focused = this.rows.find((row) => row.name === document.activeElement)?.score.label;
    this.rows = data.scores.map((score) => new Row(score, data.tasks, theme, this.place, this.scale));
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    this.rows.find((row) => row.score.label === focused)?.name.focus({ preventScroll: true });
    this.show(this.at);
    this.highlight(this.front, this.pinned);
  }

  /** @param {number} at */
  show(at) {
    this.at = at;
    for (const row of this.rows) row.show(Math.round(at));
  }

  /**
   * Bring the row of this name (label) forward; null brings all back.
   * @param {?string} name
   * @param {?string} pinned  the name that stays in front until it is chosen again
   */
  highlight(name, pinned = null) {
    Object.assign(this, { front: name, pinned });
    fade(name, this.rows.map((row) => row.score.label), [this.rows.map((row) => row.element)]);
    for (const row of this.rows) row.name.setAttribute("aria-pressed", String(row.score.label === pinned));
  }
}

class Row {
  /**
   * @param {Score} score
   * @param {string} tasks  what the many are called
   * @param {Theme} theme
   * @param {import("../kernel/shared.js").Shared} place
   * @param {import("../kernel/scales.js").Scale} scale
   */
  constructor(score, tasks, theme, place, scale) {
    this.score = score;
    /** @param {?number} value */
    this.toShare = (value) => (value === null ? 1 : scale.share(value));
    const color = theme.pick(score.color);
    const line = svg("path", { d: "M1,6H25", stroke: color, "stroke-width": 3, "stroke-dasharray": DASHES[score.dash] ?? "" });
    this.name = make("button", { type: "button", className: "md-key md-name", "aria-pressed": "false" },
      svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, line), make("b", {}, score.label));
    const fact = (more = "") => make("button", { type: "button", className: `md-fact ${more}` });
    this.mine = fact();
    this.better = fact("md-small");
    this.mean = fact();
    this.half = fact("md-small");
    this.whisker = make("i", { className: "md-whisker" });
    this.box = make("i", { className: "md-box" });
    this.median = make("i", { className: "md-median" });
    this.dot = make("i", { className: "md-this" });
    this.strip = make("div", { className: "md-strip", role: "img" },
      this.whisker, this.box, this.median, this.dot);
    this.strip.style.setProperty("--color", color);
    const ticks = make("div", { className: "md-strip-ticks" }, ...scale.ticks.map((v) => tick(scale.share(v), "")));
    const many = make("td", {}, this.mean, this.half);
    many.dataset.tasks = tasks;
    this.element = make("tr", {},
      make("th", { scope: "row" }, this.name,
        make("span", { className: "md-small" }, score.about), make("span", { className: "md-small" }, score.note)),
      make("td", {}, this.mine, this.better), many, make("td", {}, ticks, this.strip));
    bringsForward(this.name, this.element, place, score.label);
  }

  /** @param {number} step */
  show(step) {
    const { score } = this;
    const k = Math.min(step, score.mine.length - 1); // one of fewer steps stays where it ends
    say(this.mine, errorText(score.mine[k]));
    for (const name of /** @type {const} */ (["mine", "better", "mean", "half"])) {
      explained(this[name], score.formulas[name]?.[k] ?? "");
    }
    this.better.hidden = score.better[k] == null;
    this.half.hidden = !score.mean.length;
    const share = score.better[k];
    say(this.better, share == null ? "" : `better than on ${Math.round(100 * share)} of 100 tasks`);
    const known = score.mean.length > 0;
    this.strip.classList.toggle("md-unknown", !known);
    this.mean.classList.toggle("md-waiting", !known);
    const dot = this.toShare(score.mine[k]);
    stretch(this.dot, dot, dot);
    if (!known) {
      say(this.mean, score.missing);
      say(this.half, "");
      this.strip.setAttribute("aria-label", `this task ${errorText(score.mine[k])}`);
      return;
    }
    const mean = errorText(score.mean[k]);
    const half = score.half[k] === null ? "diverges" : errorText(score.half[k]);
    say(this.mean, mean);
    say(this.half, [mean, half].some((text) => /[a-z<]/.test(text.replace(/e−/, ""))) ? "" : `± ${half}`);
    const spread = score.spread[k];
    const [p5, p25, p50, p75, p95] = spread.map(this.toShare);
    stretch(this.whisker, p5, p95);
    stretch(this.box, p25, p75);
    stretch(this.median, p50, p50);
    this.strip.setAttribute("aria-label", `this task ${errorText(score.mine[k])}; half of the tasks lie between `
      + `${errorText(spread[1])} and ${errorText(spread[3])}, nine of ten between ${errorText(spread[0])} and ${errorText(spread[4])}`);
  }
}

/** A mark of the axis that all strips share. @param {number} share  @param {string} text */
function tick(share, text) {
  const mark = make("i", {}, text);
  mark.style.left = `${100 * share}%`;
  return mark;
}

/** @param {HTMLElement} mark  @param {number} from  @param {number} to */
function stretch(mark, from, to) {
  mark.style.left = `${100 * from}%`;
  mark.style.width = `${100 * (to - from)}%`;
}
