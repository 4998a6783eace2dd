/** The axes of losses against outer steps. No page in here. */

import { clamp, pretty } from "../kernel/formats.js";

/**
 * @typedef {[value: number, text: string][]} Ticks
 * @typedef {import("./lines.js").LinesData} LinesData
 * @typedef {((step: number) => number) & {invert: (px: number) => number, ticks: Ticks}} StepScale
 * @typedef {((loss: number) => number) & {most: number, ticks: Ticks}} LossScale  what is above `most` lies above the chart
 */

/**
 * Outer steps from 0 to `most`; on a log axis 0 stands where 1/2 would.
 * @param {number} most
 * @param {boolean} log
 * @param {{left: number, right: number}} area
 * @returns {StepScale}
 */
export function stepScale(most, log, { left, right }) {
  const width = right - left;
  /** @param {number} v */
  const rise = (v) => Math.log10(Math.max(v, 0.5) * 2);
  /** @param {number} v */
  const scale = (v) => left + (log ? rise(v) / rise(Math.max(most, 1)) : v / Math.max(most, 1)) * width;
  /** @param {number} px */
  const invert = (px) => {
    const share = clamp((px - left) / width, 0, 1);
    return log ? 0.5 * 10 ** (share * rise(Math.max(most, 1))) : share * most;
  };
  const values = [0];
  if (log) {
    for (let v = 1; v <= most; v *= 10) values.push(v);
  } else {
    const unit = nice(most / Math.max(2, width / 110));
    for (let v = unit; v <= most + unit / 1e6; v += unit) values.push(v);
  }
  /** @type {Ticks} */
  const ticks = values.map((v) => [v, v.toLocaleString("en")]);
  return Object.assign(scale, { invert, ticks });
}

/**
 * Losses from the axis' lower end up to `most`; what is larger lies above the chart.
 * @param {Pick<LinesData, "lines" | "errors" | "top" | "ignoring">} data
 * @param {boolean} log
 * @param {{top: number, bottom: number}} area
 * @returns {LossScale}
 */
export function lossScale({ lines, errors, top: sane, ignoring }, log, { top, bottom }) {
  const values = [ignoring, ...errors, ...lines.flatMap((l) => [...l.smooth, ...l.errors])]
    .filter((v) => v !== null).filter((v) => v > 0);
  const largest = Math.min(Math.max(...values), sane * (log ? 10 : 1));
  /** @param {number} share */
  const place = (share) => bottom - clamp(share, -0.02, 5) * (bottom - top);
  /** @type {Ticks} */
  const ticks = [];
  if (log) {
    const low = Math.floor(Math.log10(Math.min(...values)) * 2 - 0.05) / 2;
    const high = Math.max(low + 0.5, Math.ceil(Math.log10(largest) * 2 + 0.05) / 2);
    /** @param {number} v */
    const scale = (v) => place((Math.log10(Math.max(v, 1e-30)) - low) / (high - low));
    for (let e = Math.floor(low); e <= high; e += 1) {
      for (const m of [1, 2, 5]) {
        const lift = Math.log10(m) + e;
        if (lift >= low - 1e-9 && lift <= high + 1e-9) ticks.push([m * 10 ** e, pretty(m * 10 ** e)]);
      }
    }
    const few = ticks.length <= 8 ? ticks : ticks.filter(([v]) => /^1(e|0*$)|^0\.0*1$/.test(String(v)));
    return Object.assign(scale, { most: 10 ** high, ticks: few });
  }
  const unit = nice(largest / 4);
  const high = Math.ceil((largest * 1.04) / unit) * unit;
  /** @param {number} v */
  const scale = (v) => place(v / high);
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  for (let v = 0; v <= high + unit / 2; v += unit) ticks.push([v, v.toFixed(digits)]);
  return Object.assign(scale, { most: high, ticks });
}

/**
 * Shares of what is right, from none to all.
 * @param {{top: number, bottom: number}} area
 * @returns {LossScale}
 */
export function shareScale({ top, bottom }) {
  /** @param {number} share */
  const scale = (share) => bottom - share * (bottom - top);
  /** @type {Ticks} */
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => [share, `${100 * share} %`]);
  return Object.assign(scale, { most: 1, ticks });
}

/** @param {number} rough */
function nice(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-12)));
  return ([1, 2, 5].find((m) => m * power >= rough * 0.999) ?? 10) * power;
}
