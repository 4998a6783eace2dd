/** A slider over the steps and a play button; all in the browser. */

import { make, say } from "./base.js";
import { clamp } from "./formats.js";

const PLAY = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M6 3.5v13l10.5-6.5z"/></svg>';
const PAUSE = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5 3.5h3.6v13H5zm6.4 0H15v13h-3.6z"/></svg>';

export class Scrubber {
  /** @type {number} */ seconds;
  /** @type {number} */ frame;

  /** @param {(at: number, playing: boolean) => void} moved  told every change; `at` may lie between two steps */
  constructor(moved) {
    this.moved = moved;
    this.steps = 0;
    this.at = 0;
    /** @type {string[]} */
    this.names = [];
    this.playing = false;
    this.button = make("button", { type: "button", className: "md-play" });
    this.range = make("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Step" });
    this.text = make("output", { className: "md-step" });
    this.marks = make("div", { className: "md-marks", "aria-hidden": "true" });
    const track = make("div", { className: "md-track" }, this.marks, this.range);
    this.element = make("div", { className: "md-scrub" }, this.button, track, this.text);
    this.button.addEventListener("click", () => (this.playing ? this.stop() : this.play()));
    this.range.addEventListener("input", () => {
      this.stop();
      this.go(Number(this.range.value));
    });
    this.#face();
  }

  /**
   * New data: keep the place; whoever stood at the last step stays at the last.
   * @param {{steps: number, names: string[], seconds: number}} data  `seconds` from one step to the next
   */
  update({ steps, names, seconds }) {
    const atEnd = this.at >= this.steps;
    const first = this.range.dataset.ready !== "true";
    this.names = names;
    this.seconds = seconds;
    if (steps !== this.steps || first) {
      this.steps = steps;
      this.range.max = String(steps);
      this.range.dataset.ready = "true";
      if (!this.playing) this.at = atEnd ? steps : Math.min(this.at, steps);
      else this.at = Math.min(this.at, steps);
      const dots = steps <= 30 ? steps + 1 : 0;
      this.marks.replaceChildren(...Array.from({ length: dots }, () => make("i")));
    }
    this.element.classList.toggle("md-nothing", steps === 0);
    this.#face();
  }

  /** @param {number} at */
  go(at) {
    this.at = clamp(at, 0, this.steps);
    this.#face();
    this.moved(this.at, this.playing);
  }

  /** Go where somebody else leads; whoever plays stops for that. @param {number} at */
  stand(at) {
    if (this.playing) cancelAnimationFrame(this.frame);
    this.playing = false;
    this.go(at);
  }

  play() {
    if (!this.steps) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = true;
    this.go(this.at >= this.steps ? 0 : Math.floor(this.at));
    const from = this.at;
    const start = performance.now() + 250; // a look at the first line before it moves
    /** @type {FrameRequestCallback} */
    const frame = (now) => {
      if (!this.playing) return;
      const passed = Math.max(0, now - start) / 1000 / this.seconds;
      const k = Math.floor(passed);
      const at = Math.min(from + k + (still ? 0 : ease(passed - k)), this.steps);
      if (at >= this.steps) this.playing = false;
      if (at !== this.at || !this.playing) this.go(at);
      if (this.playing) this.frame = requestAnimationFrame(frame);
    };
    this.frame = requestAnimationFrame(frame);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.go(Math.round(this.at));
  }

  #face() {
    const step = Math.round(this.at);
    const text = this.names[step] ?? `step ${step} of ${this.steps}`;
    this.range.value = String(step);
    this.range.setAttribute("aria-valuetext", text);
    this.element.style.setProperty("--md-share", String(this.steps ? this.at / this.steps : 0));
    say(this.text, text);
    const face = this.playing ? "Pause" : "Play";
    if (this.button.title !== face) {
      this.button.title = face;
      this.button.setAttribute("aria-label", face);
      this.button.innerHTML = this.playing ? PAUSE : PLAY;
    }
  }
}

/** Move within the first 70 % of a step's time, then rest on it. @param {number} t */
function ease(t) {
  const s = Math.min(t / 0.7, 1);
  return s * s * (3 - 2 * s);
}
