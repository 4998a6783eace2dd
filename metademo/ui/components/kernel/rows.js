/** Rows of numbers as Python sends them. No page in here. */

const GAP = -32768;

/**
 * @typedef {{rows: number, start: number, unit: number, y: string}} Packed  as curves.py packs them
 */

/**
 * int16 values in base64, as rows of numbers (NaN where there is no value).
 * @param {Packed} packed
 */
export function decode({ rows, start, unit, y }) {
  const bytes = Uint8Array.from(atob(y), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const n = bytes.length / 2 / rows;
  return Array.from({ length: rows }, (_, row) => Float64Array.from({ length: n }, (_, i) => {
    const value = view.getInt16(2 * (row * n + i), true);
    return value === GAP ? NaN : start + (value + 32500) * unit;
  }));
}

/** Between two rows. @param {ArrayLike<number>[]} rows  @param {number} at @returns {number[]} */
export function between(rows, at) {
  const k = Math.min(Math.floor(at), rows.length - 1);
  const next = rows[Math.min(k + 1, rows.length - 1)];
  return Array.from(rows[k], (v, i) => v + (at - k) * (next[i] - v));
}
