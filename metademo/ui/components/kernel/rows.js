/** Rows of numbers as Python sends them. No page in here. */

/**
 * @typedef {{count: number, start: number, unit: number, numbers: string}} Packed  see `packed` in insights.py
 */

/**
 * The rows of numbers that Python has packed.
 * @param {Packed} packed
 * @returns {Float64Array[]}
 */
export function unpacked({ count, start, unit, numbers }) {
  const bytes = Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const n = bytes.length / 2 / count;
  return Array.from({ length: count }, (_, row) =>
    Float64Array.from({ length: n }, (_, i) => start + unit * view.getInt16(2 * (row * n + i), true)));
}

/** Between two rows. @param {ArrayLike<number>[]} rows  @param {number} at @returns {number[]} */
export function between(rows, at) {
  const k = Math.min(Math.floor(at), rows.length - 1);
  const next = rows[Math.min(k + 1, rows.length - 1)];
  return Array.from(rows[k], (v, i) => v + (at - k) * (next[i] - v));
}
