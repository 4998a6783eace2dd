/**
 * A drawing: a height at each of its knots, evenly from left to right, or null where nothing is drawn. No page in here.
 *
 * @typedef {(number|null)[]} Heights
 * @typedef {[knot: number, height: number]} Pair  as the server has them: the knots that are drawn, in order
 * @typedef {[x: number, y: number]} Place  of the pen: x counts knots, and may lie between two
 */

/** @param {Pair[]} pairs  @param {number} knots  @returns {Heights} */
export function fromPairs(pairs, knots) {
  /** @type {Heights} */
  const heights = Array(knots).fill(null);
  for (const [knot, height] of pairs) heights[knot] = height;
  return heights;
}

/** @param {Heights} heights  @returns {Pair[]} */
export function toPairs(heights) {
  return heights.flatMap((height, knot) => (height === null ? [] : [/** @type {Pair} */ ([knot, height])]));
}

/**
 * The heights after the pen went straight from one place to another: at each knot that it passed, in whole numbers.
 * @param {Heights} heights
 * @param {Place} from
 * @param {Place} to
 * @returns {Heights}
 */
export function stroked(heights, from, to) {
  const [left, right] = from[0] <= to[0] ? [from, to] : [to, from];
  const drawn = [...heights];
  for (let k = Math.max(0, Math.ceil(left[0])); k <= Math.min(heights.length - 1, right[0]); k += 1) {
    const share = right[0] > left[0] ? (k - left[0]) / (right[0] - left[0]) : 1;
    drawn[k] = Math.round(left[1] + share * (right[1] - left[1]));
  }
  return drawn;
}

/** The heights after the pen was set down: at the nearest knot. @param {Heights} heights  @param {Place} at */
export function dotted(heights, [x, y]) {
  const nearest = Math.min(Math.max(Math.round(x), 0), heights.length - 1);
  return heights.map((height, k) => (k === nearest ? Math.round(y) : height));
}

/**
 * What counts where nothing is drawn: straight between what is, level at the ends. Empty if nothing is drawn at all.
 * @param {Heights} heights
 * @returns {number[]}
 */
export function filled(heights) {
  const pairs = toPairs(heights);
  if (!pairs.length) return [];
  let right = 0; // the first pair at or behind the knot
  return heights.map((height, k) => {
    while (right < pairs.length && pairs[right][0] < k) right += 1;
    if (height !== null) return height;
    const [before, after] = [pairs[right - 1], pairs[right]];
    if (!before || !after) return (before ?? after)[1];
    return before[1] + ((k - before[0]) / (after[0] - before[0])) * (after[1] - before[1]);
  });
}
