/** Where a curve goes on the page, and where a key leads to in a grid. No page in here. */

/**
 * The path of evenly spaced values; what is no number leaves a gap.
 * @param {Float64Array} values
 * @param {(share: number) => number} x  of the place along the axis, 0 to 1
 * @param {(value: number) => number} y
 */
export function pathOf(values, x, y) {
  let d = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (Number.isNaN(value)) { pen = "M"; return; }
    d += `${pen}${x(i / (values.length - 1)).toFixed(1)},${y(value).toFixed(1)}`;
    pen = "L";
  });
  return d || "M0,0";
}

/**
 * Where a key leads to from a place in a grid; null if nowhere.
 * @param {string} key
 * @param {number} place
 * @param {number} count
 * @param {number} columns
 */
export function neighbour(key, place, count, columns) {
  /** @type {Record<string, number>} */
  const places = {
    ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - columns, ArrowDown: place + columns, Home: 0, End: count - 1,
  };
  const to = places[key];
  return to === undefined || to < 0 || to >= count ? null : to;
}
