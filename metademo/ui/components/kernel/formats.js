/** Numbers and lines as people see them. No page in here. */

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A number for people: 0.07, 1.25, 12.3, 4e-4. @param {?number} value */
export function pretty(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(0).replaceAll("-", "−");
  const digits = size < 0.1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
  return (size >= 1e5 ? value.toExponential(1) : value.toFixed(digits)).replaceAll("-", "−");
}

/** A share as Python writes it: what is nearly all is not all, and what is nearly nothing is something. @param {number} share */
export function percent(share) {
  if (!Number.isFinite(share)) return "–"; // of weights that ran away
  if (share > 0.995 && share < 1) return ">99 %";
  if (share < 0.005 && share > 0) return "<1 %";
  return `${Math.round(100 * share)} %`;
}

/**
 * Dash patterns by Plotly's names, as in figures.py.
 * @type {Record<string, string>}
 */
export const DASHES = {
  solid: "", dot: "2 4", dash: "7 5", longdash: "14 5", dashdot: "8 4 2 4", longdashdot: "15 4 2 4",
  twodots: "9 4 2 4 2 4", twodashes: "7 4 7 4 2 4", threedots: "9 4 2 4 2 4 2 4",
};
