/**
 * What the visitor does, in order, each done exactly once. Nothing here knows the page.
 *
 * The browser numbers its gestures and shows them at once, on top of the server's last answer. Each message carries all
 * gestures that are not answered yet; the server carries out those that it has not seen, in order, and answers with the
 * number of the last one. Whatever the server's answer is, what is not answered stays on top of it: nothing is lost,
 * doubled or taken back, however long an answer takes. Python's half is gestures.py beside it.
 *
 * @typedef {[x: number, y: number]} Point
 * @typedef {{kind: string, at?: Point, to?: Point, value?: number, drawing?: Point[], text?: string, view?: string, final: boolean, seq: number}} Gesture
 *   `at` is the point it is about, where the visitor saw it; `to` is where it goes; `drawing` is all that is drawn now, or `text` what is. A gesture that is not final is on its
 *   way: one message of a drag.
 * @typedef {{points: Point[], example: boolean}} Points  `example`: placed by us, so that the first click replaces them
 */

/** Messages on their way at once while something is dragged; a final gesture never waits. */
export const WINDOW = 3;
const PAUSE = 16; // ms between two messages of a drag, at least

export class Gestures {
  /**
   * @param {(message: {visit: string, gestures: Gesture[]}) => void} post
   * @param {() => number} now  in milliseconds
   */
  constructor(post, now = () => performance.now()) {
    this.post = post;
    this.now = now;
    this.visit = newVisit();
    this.seq = 0; // of the last gesture
    /** @type {{gesture: Gesture, sent: boolean}[]} not answered yet */
    this.entries = [];
    this.sentAt = -Infinity;
    this.onTheWay = 0; // messages that are not answered
  }

  /** @returns {Gesture[]} those that the server has not answered */
  get pending() { return this.entries.map((entry) => entry.gesture); }

  /** Whether the server has answered everything. */
  get settled() { return this.entries.length === 0; }

  /**
   * Take in a gesture and tell the server: at once if it is final, otherwise as the line allows.
   * @param {Omit<Gesture, "seq">} gesture
   */
  add(gesture) {
    const last = this.entries.at(-1);
    if (last && !last.sent && continues(last.gesture, gesture)) {
      Object.assign(last.gesture, { ...gesture, at: last.gesture.at });
    } else {
      this.seq += 1;
      this.entries.push({ gesture: { ...gesture, seq: this.seq }, sent: false });
    }
    if (gesture.final) this.send();
    else this.#sendInTime();
  }

  /** The server has answered all gestures up to `ack`. @param {number} ack */
  answered(ack) {
    if (this.entries.some((entry) => entry.gesture.seq <= ack)) {
      this.entries = this.entries.filter((entry) => entry.gesture.seq > ack);
      this.onTheWay = Math.max(0, this.onTheWay - 1);
    }
    if (!this.entries.some((entry) => entry.sent)) this.onTheWay = 0;
    this.#sendInTime();
  }

  /** Send all that is not answered, if some of it was never sent. */
  send() {
    clearTimeout(this.timer);
    if (this.entries.every((entry) => entry.sent)) return;
    for (const entry of this.entries) entry.sent = true;
    this.sentAt = this.now();
    this.onTheWay += 1;
    this.post({ visit: this.visit, gestures: this.pending.map((gesture) => ({ ...gesture })) });
  }

  /**
   * The server has forgotten this visit (it was restarted, say): begin anew with it.
   * @param {string} view  what the server is to show before the pending gestures
   */
  restore(view) {
    const pending = this.pending;
    this.visit = newVisit();
    this.seq = 0;
    this.onTheWay = 0;
    this.entries = [{ kind: "restore", view, final: true }, ...pending].map((gesture) => {
      this.seq += 1;
      return { gesture: { ...gesture, seq: this.seq }, sent: false };
    });
    this.send();
  }

  destroy() { clearTimeout(this.timer); }

  #sendInTime() {
    clearTimeout(this.timer);
    if (this.entries.every((entry) => entry.sent)) return;
    const rest = PAUSE - (this.now() - this.sentAt);
    if (this.onTheWay >= WINDOW) return; // the next answer sends it
    if (rest <= 0) this.send();
    else this.timer = setTimeout(() => this.send(), rest);
  }
}

/**
 * Whether a gesture goes on with one that is on its way: of both only where they end counts.
 * @param {Gesture} before
 * @param {Omit<Gesture, "seq">} gesture
 */
function continues(before, gesture) {
  if (before.final || before.kind !== gesture.kind) return false;
  if (gesture.kind === "stroke") return same(before.at, gesture.at);
  return gesture.kind === "value" || (gesture.kind === "move" && same(before.to, gesture.at));
}

/** @param {Point} [a]  @param {Point} [b] */
function same(a, b) { return Boolean(a && b && a[0] === b[0] && a[1] === b[1]); }

function newVisit() { return Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2); }

/**
 * The place of a point in a list, or -1. Only x tells points apart: the server may have put a point onto a wave.
 * @param {Point[]} points
 * @param {Point} at
 */
export function find(points, at) {
  let [best, least] = [-1, Infinity];
  points.forEach(([x, y], i) => {
    const distance = Math.abs(y - at[1]);
    if (Math.abs(x - at[0]) <= 1e-9 && distance < least) [best, least] = [i, distance];
  });
  return best;
}

/**
 * Points after some gestures. What can't be known here (undo, say) changes nothing until the server answers.
 * @param {Points} before
 * @param {Gesture[]} gestures
 * @param {number} maxPoints
 * @returns {Points}
 */
export function carriedOut(before, gestures, maxPoints) {
  let { points, example } = before;
  for (const gesture of gestures) {
    if (!["add", "move", "remove", "clear"].includes(gesture.kind)) continue;
    const { kind, at, to } = gesture;
    const place = at ? find(points, at) : -1;
    if (kind === "clear" || (kind === "add" && example)) points = [];
    if (kind === "remove") points = points.filter((_, i) => i !== place);
    if (kind === "move" && to && place >= 0) points = points.map((p, i) => (i === place ? to : p));
    // A point in the visitor's hand stays there, whatever has become of the others.
    else if ((kind === "move" || kind === "add") && to) points = [...points, to];
    points = points.slice(0, maxPoints);
    example = false;
  }
  return { points, example };
}
