/**
 * What a pointer means, by its kind, in pixels: how near is on a point, how far is a drag, when a click is the second
 * of two. No page in here.
 */

/** @type {Record<string, number>} */
const REACH = { mouse: 11, pen: 14, touch: 22 }; // how near is on a point
/** @type {Record<string, number>} */
const DRAG = { mouse: 4, pen: 6, touch: 8 }; // how far is a drag and not a tap
const TWICE = 350; // ms: the second half of a double click does nothing

/**
 * Index of the nearest place in reach, or -1.
 * @param {[x: number, y: number][]} places
 * @param {number} px
 * @param {number} py
 * @param {string} kind  of pointer
 */
export function inReach(places, px, py, kind) {
  let [best, least] = [-1, REACH[kind] ?? REACH.mouse];
  places.forEach(([x, y], i) => {
    const distance = Math.hypot(x - px, y - py);
    if (distance <= least) [best, least] = [i, distance];
  });
  return best;
}

/** Whether a pointer that has gone so far drags. @type {(distance: number, kind: string) => boolean} */
export const drags = (distance, kind) => distance > (DRAG[kind] ?? DRAG.mouse);

export class Clicks {
  constructor() { this.last = { at: -Infinity, x: 0, y: 0 }; }

  /** Take in a click; whether it is the second of a double click. @param {number} px  @param {number} py */
  second(px, py) {
    const now = performance.now();
    const { at, x, y } = this.last;
    this.last = { at: now, x: px, y: py };
    return now - at < TWICE && Math.hypot(px - x, py - y) < 8;
  }
}

/** @type {Record<string, [x: number, y: number]>} */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @type {(x: number[], y: number[]) => [x: number, y: number]} */
export const middle = ([a, b], [c, d]) => [(a + b) / 2, (c + d) / 2];

/** A place in words. @param {[x: number, y: number]} point */
export const spell = ([x, y]) => `x ${x.toFixed(2)}, y ${y.toFixed(2)}`.replaceAll("-", "minus ");
