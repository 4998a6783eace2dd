/** Where a key leads to in a grid. No page in here. */

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
