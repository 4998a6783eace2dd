/** Lines of equal height on a square grid of numbers (marching squares). No page in here. */

/**
 * @param {ArrayLike<number>} values  row by row
 * @param {number} side  numbers in each row, and rows
 * @param {number} level
 * @returns {[x: number, y: number][][]}  segments of two ends each, in numbers of cells from the first value
 */
export function contour(values, side, level) {
  /** @type {[number, number][][]} */
  const segments = [];
  for (let j = 0; j < side - 1; j += 1) {
    for (let i = 0; i < side - 1; i += 1) {
      const at = j * side + i;
      const low = values[at] < level;
      if (values[at + 1] < level === low && values[at + side + 1] < level === low && values[at + side] < level === low) continue;
      const corners = [values[at], values[at + 1], values[at + side + 1], values[at + side]];
      const ends = crossings(corners, level).map(([x, y]) => /** @type {[number, number]} */ ([i + x, j + y]));
      for (let e = 0; e + 1 < ends.length; e += 2) segments.push([ends[e], ends[e + 1]]);
    }
  }
  return segments;
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

/** Where the edges of one cell cross the level, in the order of its corners. @param {number[]} corners  @param {number} level */
function crossings(corners, level) {
  /** @type {[number, number][]} */
  const found = [];
  corners.forEach((a, k) => {
    const b = corners[(k + 1) % 4];
    if (a < level === b < level) return;
    const share = (level - a) / (b - a);
    const [from, to] = [CORNERS[k], CORNERS[(k + 1) % 4]];
    found.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
  });
  return found;
}

/** Round levels between two positive numbers: 1, 2 and 5 times powers of ten. @param {number} least  @param {number} greatest */
export function levels(least, greatest) {
  const found = [];
  for (let e = Math.floor(Math.log10(least)); e <= Math.log10(greatest); e += 1) {
    for (const m of [1, 2, 5]) {
      const level = Number((m * 10 ** e).toPrecision(3));
      if (level > 1.02 * least && level < 0.98 * greatest) found.push(level);
    }
  }
  return found;
}
