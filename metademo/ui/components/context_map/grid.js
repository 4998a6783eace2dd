/** Curves on a grid of places, and the one at any place between. No page in here. */

import { clamp } from "../kernel/formats.js";

export class CurveGrid {
  /**
   * @param {Float64Array[]} curves  at side x side places from -reach to reach, row by row upwards
   * @param {number} side
   * @param {number} reach
   */
  constructor(curves, side, reach) {
    this.curves = curves;
    this.side = side;
    this.reach = reach;
  }

  /** The curve at a place, bilinear between the four around it. @param {number[]} place */
  at(place) {
    const last = this.side - 1;
    const [x, y] = place.map((v) => clamp(((v / this.reach + 1) / 2) * last, 0, last));
    const [i, j] = [Math.min(Math.floor(x), last - 1), Math.min(Math.floor(y), last - 1)];
    const [dx, dy] = [x - i, y - j];
    const corners = [j, j + 1].flatMap((row) => [i, i + 1].map((column) => this.curves[row * this.side + column]));
    const shares = [(1 - dx) * (1 - dy), dx * (1 - dy), (1 - dx) * dy, dx * dy];
    return corners[0].map((_, k) => shares.reduce((sum, share, corner) => sum + share * corners[corner][k], 0));
  }
}

/** The colour of an angle, in a cycle of colours that are evenly spread. @param {string[]} cycle  @param {number} turn  0 to 1 */
export function colourOf(cycle, turn) {
  const at = (turn % 1) * cycle.length;
  const first = Math.floor(at);
  const share = Math.round(100 * (at - first));
  return `color-mix(in oklab, ${cycle[first]} ${100 - share}%, ${cycle[(first + 1) % cycle.length]})`;
}
