/** A table of scores that follows the scrubber: each learner's error on this task and on many others. */

import { DASHES, make, pretty, say, svg } from "./base.js";
import { logScale } from "./panels.js";

/**
 * @typedef {{label: string, note: string, color: [string, string], dash: string, mean: (number|null)[],
 *   half: (number|null)[], spread: (number|null)[][], mine: (number|null)[], harder: (number|null)[]}} Score
 * @typedef {{title: string, note: string, scores: Score[]}} BoardData
 */

const HUGE = 1e6;
const HEADINGS = ["", "this task", "all tasks", "from easy to hard tasks"];

export class Board {
  constructor() {
    this.title = make("caption");
    this.body = make("tbody");
    this.note = make("p", { className: "md-small" });
    const head = make("tr", {}, ...HEADINGS.map((text) => (text ? make("th", { scope: "col" }, text) : make("td"))));
    this.element = make("div", { className: "md-board" },
      make("table", {}, this.title, make("thead", {}, head), this.body), this.note);
    this.rows = [];
    this.at = 0;
  }

  /** @param {?BoardData} data */
  update(data, theme) {
    this.element.hidden = !data;
    const key = JSON.stringify([data, theme.key]);
    if (!data || key === this.key) return;
    Object.assign(this, { key, data });
    say(this.title, data.title);
    say(this.note, data.note);
    const { share } = logScale(data.scores.flatMap((s) => [...s.mine, ...s.spread.flat()]));
    this.place = (value) => (value === null ? 1 : share(value));
    this.rows = data.scores.map((score) => new Row(score, theme));
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    this.show(this.at);
  }

  show(at) {
    this.at = at;
    for (const row of this.rows) row.show(Math.round(at), this.place);
  }
}

class Row {
  constructor(score, theme) {
    this.score = score;
    const color = theme.pick(score.color);
    const line = svg("path", { d: "M1,6H25", stroke: color, "stroke-width": 3, "stroke-dasharray": DASHES[score.dash] ?? "" });
    const key = make("span", { className: "md-key" },
      svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, line), make("b", {}, score.label));
    this.mine = make("b");
    this.harder = make("span", { className: "md-small" });
    this.mean = make("b");
    this.half = make("span", { className: "md-small" });
    this.whisker = make("i", { className: "md-whisker" });
    this.box = make("i", { className: "md-box" });
    this.median = make("i", { className: "md-median" });
    this.dot = make("i", { className: "md-this" });
    this.strip = make("div", { className: "md-strip", role: "img" }, this.whisker, this.box, this.median, this.dot);
    this.strip.style.setProperty("--color", color);
    this.element = make("tr", {},
      make("th", { scope: "row" }, key, make("span", { className: "md-small" }, score.note)),
      make("td", {}, this.mine, this.harder), make("td", {}, this.mean, this.half), make("td", {}, this.strip));
  }

  show(step, toPlace) {
    const { score } = this;
    const k = Math.min(step, score.mine.length - 1);
    const spread = score.spread[k] ?? [];
    say(this.mine, finite(score.mine[k]));
    say(this.mean, finite(score.mean[k]));
    say(this.half, score.half[k] == null || score.half[k] > HUGE ? "" : `± ${pretty(score.half[k])}`);
    const share = score.harder[k];
    say(this.harder, share == null ? "" : `${Math.round(100 * share)} % are harder`);
    this.strip.classList.toggle("md-unknown", !spread.length);
    const [p5, p25, p50, p75, p95] = spread.map(toPlace);
    place(this.whisker, p5, p95);
    place(this.box, p25, p75);
    place(this.median, p50, p50);
    const mine = toPlace(score.mine[k]);
    place(this.dot, mine, mine);
    this.strip.setAttribute("aria-label", `this task ${finite(score.mine[k])}; half of the tasks lie between `
      + `${finite(spread[1])} and ${finite(spread[3])}, nine of ten between ${finite(spread[0])} and ${finite(spread[4])}`);
  }
}

function place(mark, from, to) {
  mark.style.left = `${100 * from}%`;
  mark.style.width = `${100 * (to - from)}%`;
}

/** What is huge has run away; nothing is known before it is computed. */
function finite(value) {
  if (value === undefined) return "–";
  return value === null || value > HUGE ? "∞" : pretty(value);
}
