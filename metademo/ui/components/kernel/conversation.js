/**
 * A component's conversation with the server: gestures out, answers in. It outlives the server: when another one answers
 * that knows nothing of this visit, it is told what to show.
 */

import { Gestures } from "./gestures.js";
import { sendAlone } from "./messages.js";
import { shared } from "./shared.js";

/**
 * @typedef {{session: string, visit: string, ack: number, view: string, page: string, undo: boolean, redo: boolean,
 *   address?: string, shows?: string}} Answer
 * @typedef {{ack: number, session?: undefined, page?: string, undo?: undefined, redo?: undefined}} Silence
 *   what comes instead with a component that only shows
 * @typedef {Answer | Silence} Told
 */

const QUIET = 250; // ms without a gesture after which the hand is at rest

export class Conversation {
  // Of the last answer.
  /** @type {string} */ session;
  /** @type {string} */ view;
  /** @type {string} */ page;

  /** @param {(message: object) => void} post */
  constructor(post) {
    this.gestures = new Gestures((message) => sendAlone(() => post(message)));
    this.rested = 0; // the last gesture that the page's other parts have heard of
  }

  /**
   * Take an answer.
   * @param {Omit<Answer, "undo" | "redo"> | Silence} data
   * @returns {boolean} whether it is to be drawn; not if the server has lost what it was to show
   */
  take(data) {
    if (data.session === undefined) return true;
    if (this.session && data.session !== this.session) {
      this.session = data.session;
      this.gestures.restore(this.view);
      return false;
    }
    this.session = data.session;
    this.page = data.page;
    this.gestures.answered(data.visit === this.gestures.visit ? data.ack : 0);
    // What is not restored yet is not yet what the server shows.
    if (this.gestures.pending[0]?.kind === "restore") return false;
    this.view = data.view;
    shared(this.page).set({ address: data.address, shows: data.shows });
    return true;
  }

  /** Once the hand is at rest and all is answered, tell the page's controls, which then follow. @param {boolean} busy */
  rest(busy) {
    clearTimeout(this.timer);
    const { gestures } = this;
    if (busy || !gestures.settled || gestures.seq === this.rested) return;
    this.timer = setTimeout(() => {
      this.rested = gestures.seq;
      shared(this.page).set({ rested: this.rested });
    }, QUIET);
  }

  destroy() {
    clearTimeout(this.timer);
    this.gestures.destroy();
  }
}
