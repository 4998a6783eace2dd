/** The map of contexts: what the browser makes of the curves that Python sends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CurveGrid, colourOf } from "../../metademo/ui/components/context_map/grid.js";

/** A curve of two heights at each of 3 x 3 places, from -1 to 1. @param {(x: number, y: number) => number} height */
function gridOf(height) {
  const along = [-1, 0, 1];
  const curves = along.flatMap((y) => along.map((x) => Float64Array.of(height(x, y), -height(x, y))));
  return new CurveGrid(curves, 3, 1);
}

test("at a place of the grid is its curve, the first axis to the right and the second upwards", () => {
  const grid = gridOf((x, y) => 10 * x + y);
  for (const [x, y] of [[-1, -1], [1, -1], [0, 0], [0, 1], [1, 1]]) {
    assert.deepEqual([...grid.at([x, y])], [10 * x + y, -10 * x - y].map((v) => v + 0));
  }
});

test("between four places it goes straight along both axes", () => {
  const grid = gridOf((x, y) => 3 + 2 * x - y + 5 * x * y);
  for (const [x, y] of [[0.5, 0.25], [-0.75, 0.9], [0.1, -0.3]]) {
    const [height] = grid.at([x, y]);
    assert.ok(Math.abs(height - (3 + 2 * x - y + 5 * x * y)) < 1e-12);
  }
});

test("beyond its edges it stays as it is at them", () => {
  const grid = gridOf((x, y) => x + 2 * y);
  assert.deepEqual(grid.at([7, 0]), grid.at([1, 0]));
  assert.deepEqual(grid.at([-7, -9]), grid.at([-1, -1]));
});

test("colours go round", () => {
  const cycle = ["red", "lime", "blue", "black"];
  assert.equal(colourOf(cycle, 0), "color-mix(in oklab, red 100%, lime)");
  assert.equal(colourOf(cycle, 0.375), "color-mix(in oklab, lime 50%, blue)");
  assert.equal(colourOf(cycle, 0.875), "color-mix(in oklab, black 50%, red)");
  assert.equal(colourOf(cycle, 1), colourOf(cycle, 0));
});
