/**
 * Where a first visit may begin: one sentence, and a ring that pulses at the place it speaks of. It lies over a chart
 * without being in the way, and goes for good with the first gesture.
 *
 * @typedef {{text: string, ring: [x: number, y: number], foot: [x: number, y: number], share: number, room: number}} Place
 *   in pixels of the element it lies in: the middle of the ring, and the foot of the sentence, which has `share` of its
 *   width to the left of that, and is at most as wide as there is `room`
 */

import { make, say } from "./base.js";

/** What this browser has done already; also where nothing can be stored. @type {Set<string>} */
const done = new Set();

export class Nudge {
  /** @param {string} page  each has its own first gesture */
  constructor(page) {
    this.key = `metademo ${page} begun`;
    this.ring = make("i", { className: "md-nudge-ring", "aria-hidden": "true" });
    this.sentence = make("p");
    this.element = make("div", { className: "md-nudge", hidden: true }, this.ring, this.sentence);
    this.shown = false;
  }

  /** Show it, unless there is nothing to say, or the visitor has begun in an earlier visit. @param {?Place} place */
  show(place) {
    if (!place) {
      if (this.shown) this.over(); // begun by other means
      return;
    }
    if (this.#begun) return;
    const { text, ring, foot, share, room } = place;
    this.shown = true;
    say(this.sentence, text);
    Object.assign(this.ring.style, { left: `${ring[0]}px`, top: `${ring[1]}px` });
    Object.assign(this.sentence.style, {
      left: `${foot[0]}px`, top: `${foot[1]}px`, maxWidth: `${room}px`, translate: `${-100 * share}% -100%`,
    });
    this.element.hidden = false;
  }

  /** The visitor has begun. */
  over() {
    this.shown = false;
    this.element.hidden = true;
    done.add(this.key);
    try {
      localStorage.setItem(this.key, "yes");
    } catch {
      // Storage is full or switched off: it is gone for this visit at least.
    }
  }

  get #begun() {
    try {
      if (localStorage.getItem(this.key)) done.add(this.key);
    } catch {
      // As above.
    }
    return done.has(this.key);
  }
}
