/** What the stage of the Train page does for the run's buttons above it, which are Streamlit's own. */

import { make, say, set } from "../kernel/base.js";

/** @typedef {{share: number, text: string, bad: boolean}} Report  how far a run is, from 0 to 1 and in words */

/** A bar and what it says; `bad` news look different from good. */
export class Progress {
  constructor() {
    this.fill = make("i");
    this.track = make("div", {
      className: "md-run-track", role: "progressbar", "aria-label": "Training", "aria-valuemin": 0, "aria-valuemax": 100,
    }, this.fill);
    this.text = make("p", { className: "md-run-text" });
    this.element = make("div", { className: "md-run" }, this.track, this.text);
  }

  /** @param {Report} report */
  update({ share, text, bad }) {
    const percent = Math.round(100 * share);
    set(this.track, { "aria-valuenow": percent, "aria-valuetext": text });
    this.fill.style.width = `${100 * share}%`;
    this.element.classList.toggle("md-bad", bad);
    say(this.text, text);
  }
}

/**
 * Keep the keyboard's focus among the buttons: one that is switched off while it has the focus hands it to the first
 * that is on, now or as soon as there is one. Start is switched off when it has done its work, and so is Stop.
 * @param {Element | null} bar  what holds the buttons
 * @returns {() => void} the end of it
 */
export function keepFocus(bar) {
  if (!bar) return () => {};
  let owed = false;
  const observer = new MutationObserver((changes) => {
    const changed = /** @type {HTMLButtonElement[]} */ (changes.map(({ target }) => target));
    if (changed.some((button) => button.disabled && button === document.activeElement)) owed = true;
    /** @type {?HTMLButtonElement} */
    const next = bar.querySelector("button:not(:disabled)");
    if (!owed || !next) return;
    owed = false;
    next.focus();
  });
  observer.observe(bar, { subtree: true, attributes: true, attributeFilter: ["disabled"] });
  /** @param {FocusEvent} event */
  const elsewhere = ({ target }) => { if (target !== document.body) owed = false; };
  document.addEventListener("focusin", elsewhere);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", elsewhere);
  };
}
