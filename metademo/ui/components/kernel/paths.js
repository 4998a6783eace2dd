/** Where a curve goes on the page. No page in here. */

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
