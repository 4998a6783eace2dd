/** Shares of attention as Python sends them, and in words. No page in here. */

/**
 * @typedef {{xRange: [number, number], points: [number, number][], layers: number, heads: number, places: number,
 *   shares: string}} Shares  see attention.py
 */

/** How many numbers stand before those of a step. @param {Shares} data  @param {number} step */
const before = ({ layers, heads, places }, step) => layers * heads * places * ((step * (step + 1)) / 2);

/** @param {string} text */
export function bytes(text) { return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); }

/**
 * What is looked at from a place: the share of no point, then those of the points that have been seen.
 * @param {Shares} data
 * @param {Uint8Array} numbers
 * @param {{step: number, layer: number, head: ?number, place: number}} where  no head is the mean of all
 * @returns {number[]}
 */
export function sharesAt(data, numbers, { step, layer, head, place }) {
  const width = step + 1;
  const heads = head === null ? Array.from({ length: data.heads }, (_, i) => i) : [head];
  return Array.from({ length: width }, (_, i) => heads.reduce((sum, h) => {
    const row = (layer * data.heads + h) * data.places + place;
    return sum + numbers[before(data, step) + row * width + i] / 255 / heads.length;
  }, 0));
}

/** @param {Shares} data  @param {number} place */
export function xOf({ xRange: [low, high], places }, place) { return low + ((high - low) * place) / (places - 1); }

/** The place that is nearest to x. @param {Shares} data  @param {number} x */
export function placeOf({ xRange: [low, high], places }, x) {
  return Math.min(Math.max(Math.round(((x - low) / (high - low)) * (places - 1)), 0), places - 1);
}

/** @param {number} value */
export const decimal = (value) => value.toFixed(1).replace("-0.0", "0.0").replace("-", "−");

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * A sentence on where it looks: the three points that count most, and no point if that counts.
 * @param {Shares} data
 * @param {number} place
 * @param {number[]} shares
 */
export function told(data, place, [none, ...shares]) {
  const at = `At x = ${decimal(xOf(data, place))}`;
  if (!shares.length) return `${at} it has no point to look at yet.`;
  const most = shares.map((share, i) => ({ share, x: data.points[i][0] })).filter(({ share }) => share >= 0.05)
    .toSorted((a, b) => b.share - a.share).slice(0, 3)
    .map(({ share, x }, i) => `${i ? "" : "the point "}at x = ${decimal(x)} for ${percent(share)}`);
  const nothing = none >= 0.05 || !most.length ? [`${most.length ? "and at " : ""}none of them for ${percent(none)}`] : [];
  return `${at} it looks at ${[...most, ...nothing].join(", ")}.`;
}
