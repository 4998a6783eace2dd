/** The units of a layer at a step: what they put out, their shares of the wave, and what some of these add up to. No page in here. */

import { clamp } from "../kernel/formats.js";
import { decode } from "../kernel/rows.js";

/**
 * @typedef {import("../kernel/rows.js").Packed} Rows
 * @typedef {[number: number, moved: ?number, about: string]} Unit
 * @typedef {"activations" | "contributions"} Kind  of what a unit's small curve shows
 * @typedef {{number: number, title: string, units: Unit[], others: number, telling: number,
 *   activations: Rows, contributions: Rows, rest: Rows, pushes: Rows}} LayerData  see units_scene.py
 */

const BEYOND = 0.06; // the share of the units whose small curves may leave their place

export class Layer {
  /** @param {LayerData} data */
  constructor(data) {
    this.data = data;
    this.rest = decode(data.rest);
    const steps = this.rest.length;
    /** By step, then by unit. @type {Record<Kind | "pushes", Float64Array[][]>} */
    this.rows = {
      activations: parted(decode(data.activations), steps),
      contributions: parted(decode(data.contributions), steps),
      pushes: parted(decode(data.pushes), steps),
    };
    this.last = steps - 1;
  }

  /** How many shares there are: of each unit that is shown, and of all others together. */
  get parts() { return this.rows.contributions[0].length; }

  /** How many units there are. */
  get units() { return this.data.units.length + this.data.others; }

  /** A unit's curve at a (fractional) step. @param {Kind} kind  @param {number} unit  @param {number} at */
  curve(kind, unit, at) { return between(this.rows[kind].map((units) => units[unit]), at); }

  /** How hard each point pushes a unit at a step. @param {number} unit  @param {number} at */
  pushes(unit, at) { return between(this.rows.pushes.map((units) => units[unit]), at); }

  /** The hardest push of each point at any step. @param {number} unit */
  hardest(unit) {
    return this.rows.pushes[0][unit].map((_, i) => Math.max(...this.rows.pushes.map((units) => units[unit][i]).filter(Number.isFinite)));
  }

  /** The biases and the first `count` shares together, at a step. @param {number} count  @param {number} at */
  sum(count, at) {
    const total = between(this.rest, at).slice();
    for (let unit = 0; unit < count; unit += 1) {
      this.curve("contributions", unit, at).forEach((value, i) => { total[i] += value; });
    }
    return total;
  }

  /**
   * From where to where small curves go, 0 among it. One scale for all, so that small shares look small; the few
   * largest units may go beyond, or all others would be flat.
   * @param {Kind} kind
   * @returns {[number, number]}
   */
  range(kind) {
    const { units } = this.data;
    const ends = units.map((_, unit) => this.rows[kind].flatMap((lines) => [Math.min(...lines[unit]), Math.max(...lines[unit])])
      .filter(Number.isFinite));
    const beyond = Math.floor(units.length * BEYOND);
    const low = ends.map((values) => Math.min(0, ...values)).sort((a, b) => a - b)[beyond];
    const high = ends.map((values) => Math.max(0, ...values)).sort((a, b) => b - a)[beyond];
    return [low, high > low ? high : low + 1];
  }
}

/** Rows in as many equal parts. @param {Float64Array[]} rows  @param {number} parts */
function parted(rows, parts) {
  const size = rows.length / parts;
  return Array.from({ length: parts }, (_, k) => rows.slice(k * size, (k + 1) * size));
}

/** The line at a step; between two steps, the line in between. @param {Float64Array[]} lines  @param {number} at */
export function between(lines, at) {
  const place = clamp(at, 0, lines.length - 1);
  const k = Math.floor(place);
  const part = place - k;
  if (!part) return lines[k];
  return lines[k].map((value, i) => value + part * (lines[k + 1][i] - value));
}

/**
 * How far two curves are apart: on average, and at most.
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
export function apart(a, b) {
  const gaps = a.map((value, i) => Math.abs(value - b[i]));
  return { mean: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, most: Math.max(...gaps) };
}
