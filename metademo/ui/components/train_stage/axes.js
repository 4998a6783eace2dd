/** The axes of losses against outer steps. No page in here. */

import { clamp, pretty } from "../kernel/formats.js";

/**
 * @typedef {[value: number, text: string][]} Ticks
 * @typedef {((step: number) => number) & {invert: (px: number) => number, ticks: Ticks}} StepScale
 * @typedef {((loss: number) => number) & {most: number, ticks: Ticks}} LossScale  what is above `most` lies above the chart
 */

/** Outer steps from 0 to `most`; on a log axis 0 stands where 1/2 would. @returns {StepScale} */
export function stepScale(most, log, { left, right }) {
  const width = right - left;
  const rise = (v) => Math.log10(Math.max(v, 0.5) * 2);
  /** @type {any} */
  const scale = log
    ? (v) => left + (rise(v) / rise(Math.max(most, 1))) * width
    : (v) => left + (v / Math.max(most, 1)) * width;
  scale.invert = (px) => {
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
  scale.ticks = values.map((v) => [v, v.toLocaleString("en")]);
  return scale;
}

/** Losses from the axis' lower end up to `most`; what is larger lies above the chart. @returns {LossScale} */
export function lossScale({ lines, errors, top: sane, ignoring }, log, { top, bottom }) {
  const values = [ignoring, ...errors, ...lines.flatMap((l) => [...l.smooth, ...l.errors])].filter((v) => v !== null && v > 0);
  const largest = Math.min(Math.max(...values), sane * (log ? 10 : 1));
  const place = (share) => bottom - clamp(share, -0.02, 5) * (bottom - top);
  if (log) {
    const low = Math.floor(Math.log10(Math.min(...values)) * 2 - 0.05) / 2;
    const high = Math.max(low + 0.5, Math.ceil(Math.log10(largest) * 2 + 0.05) / 2);
    const scale = (v) => place((Math.log10(Math.max(v, 1e-30)) - low) / (high - low));
    scale.most = 10 ** high;
    scale.ticks = [];
    for (let e = Math.floor(low); e <= high; e += 1) {
      for (const m of [1, 2, 5]) {
        const lift = Math.log10(m) + e;
        if (lift >= low - 1e-9 && lift <= high + 1e-9) scale.ticks.push([m * 10 ** e, pretty(m * 10 ** e)]);
      }
    }
    if (scale.ticks.length > 8) scale.ticks = scale.ticks.filter(([v]) => /^1(e|0*$)|^0\.0*1$/.test(String(v)));
    return scale;
  }
  const unit = nice(largest / 4);
  const high = Math.ceil((largest * 1.04) / unit) * unit;
  const scale = (v) => place(v / high);
  scale.most = high;
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  scale.ticks = [];
  for (let v = 0; v <= high + unit / 2; v += unit) scale.ticks.push([v, v.toFixed(digits)]);
  return scale;
}

function nice(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-12)));
  return ([1, 2, 5].find((m) => m * power >= rough * 0.999) ?? 10) * power;
}
