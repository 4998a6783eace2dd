/** A server at the end of a slow line: what state.py does with gestures, and Streamlit with messages. */

import { carriedOut } from "../../metademo/ui/components/kernel/gestures.js";

export const MAX_POINTS = 6;
const FIRST = { points: [[-3, 0], [3, 0]], example: true, value: 0 };

/** The view after one gesture. */
export function viewAfter(view, gesture) {
  if (gesture.kind === "restore") return JSON.parse(gesture.view);
  if (gesture.kind === "value") return { ...view, value: gesture.value };
  return { ...view, ...carriedOut(view, [gesture], MAX_POINTS) };
}

export class Server {
  constructor() {
    /** What the browser last set; the server sees only the latest. @type {?object} */
    this.mailbox = null;
    this.answers = []; // on their way to the browser, in order
    this.carriedOut = []; // all gestures that any server has carried out for its present visit
    this.starts = 0;
    this.start();
  }

  /** It was restarted: all that it knew is lost, and so are its answers. */
  start() {
    this.starts += 1;
    this.session = `session ${this.starts}`;
    this.view = FIRST;
    [this.visit, this.seen] = ["", 0];
    this.answers = [];
    this.mailbox = null;
    this.answer();
  }

  /** Read the message there is, if any, and answer. */
  run() {
    const message = this.mailbox;
    this.mailbox = null;
    if (!message) return;
    const fresh = message.gestures.filter((gesture) => message.visit !== this.visit || gesture.seq > this.seen);
    for (const gesture of fresh) {
      this.view = viewAfter(this.view, gesture);
      this.carriedOut.push(gesture);
    }
    if (fresh.length) [this.visit, this.seen] = [message.visit, fresh.at(-1).seq];
    this.answer();
  }

  answer() {
    this.answers.push({
      session: this.session, view: JSON.stringify(this.view), visit: this.visit, ack: this.seen, page: "page",
    });
  }
}
