/** Axes and numbers of the small charts: where a value lies, and what stands beside a tick. No page in here. */

const HUGE = 1e6;
const NOISE = 1e-6;

/**
 * @typedef {{share: (value: number) => number, ticks: number[], name: (tick: number) => string}} Scale
 *   `share` is the place of a value along the axis, from 0 to 1
 */

/** An axis with ticks at round numbers that holds `least` and `most`. @type {(least: number, most: number) => Scale} */
export function linearScale(least, most) {
  const unit = niceUnit((most - least) / 2.2);
  const low = Math.floor(least / unit + 1e-9);
  const high = Math.ceil(most / unit - 1e-9);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => exact((low + i) * unit));
  const name = labels(ticks);
  return { share: (v) => (v / unit - low) / (high - low), ticks, name };
}

/**
 * A logarithmic axis for values that are not negative. It spans five decades at most: what has run away, and what is
 * nothing at all, stays at its ends, whose labels then say so.
 * @param {(number|null)[]} values
 * @returns {Scale}
 */
export function logScale(values) {
  const numbers = values.filter((v) => v !== null);
  const known = numbers.filter((v) => v > 0 && v <= HUGE).sort((a, b) => a - b);
  const middle = known[known.length >> 1] ?? 1;
  const most = Math.min(known.at(-1) ?? 1, 100 * middle);
  const least = Math.max(known[0] ?? 0.1, middle / 1000);
  const low = Math.floor(Math.log10(least) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(most) - 1e-9));
  const every = Math.ceil((high - low) / 3);
  /** @type {number[]} */
  const ticks = [];
  for (let e = low; e <= high; e += every) ticks.push(exact(10 ** e));
  const [under, over] = [known[0] < 0.99 * 10 ** low, numbers.some((v) => v > 1.01 * 10 ** high)];
  /** @param {number} v */
  const name = (v) => (under && v === ticks[0] ? "≤" : over && Math.log10(v) > high - 0.5 ? "≥" : "")
    + (v >= 1e-3 && v < 1e4 ? String(v) : v.toExponential()).replace("e+", "e").replaceAll("-", "−");
  /** @param {number} v */
  const share = (v) => Math.min(Math.max((Math.log10(Math.max(v, 1e-300)) - low) / (high - low), 0), 1);
  return { share, ticks, name };
}

/** 1, 2, 2.5 or 5 times a power of ten: the least that is no less than `rough`. @param {number} rough */
export function niceUnit(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5].find((m) => m * power >= rough * 0.999) ?? 10) * power;
}

/** Whole steps to write under an axis that runs from 0 to `steps`. @param {number} steps */
export function stepTicks(steps) {
  const every = Math.max(1, Math.ceil(niceUnit(Math.max(steps, 1) / 6)));
  return Array.from({ length: Math.floor(steps / every) + 1 }, (_, i) => i * every);
}

/**
 * What to write beside ticks: as many digits as the one that needs the most, so that each label is its tick's value.
 * @param {number[]} ticks
 * @returns {(tick: number) => string}
 */
export function labels(ticks) {
  const digits = Math.max(0, ...ticks.map((v) => (String(exact(v)).split(".")[1] ?? "").length));
  const small = ticks.some((v) => /e/.test(String(exact(v)))) || digits > 5;
  return (v) => (small ? (v ? exact(v).toExponential() : "0") : v.toFixed(digits)).replaceAll("-", "−");
}

/** A number without what rounding has left behind its tenth digit. @param {number} value */
export function exact(value) { return Number(value.toPrecision(10)); }

/**
 * An error for people: 0.07, 1.25, 12.3; what may be negative, such as a cosine, likewise; "< 1e−6" for what is but rounding, "diverges" for what has run away.
 * @param {?number} value  null if it is not finite
 * @returns {string}
 */
export function errorText(value) {
  if (value === null || value > HUGE) return "diverges";
  if (value === 0) return "0";
  if (value < 0) return `−${errorText(-value)}`;
  if (value < NOISE) return "< 1e−6";
  if (value < 0.001) return value.toExponential(0).replaceAll("-", "−");
  return value.toFixed(value < 0.1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}
