import assert from "node:assert/strict";
import test from "node:test";
import { contour, levels } from "../../metademo/ui/components/inside/contours.js";
import { between } from "../../metademo/ui/components/kernel/rows.js";

const SIDE = 21;
const MIDDLE = (SIDE - 1) / 2;
const grid = (height) => Float64Array.from({ length: SIDE * SIDE }, (_, k) => height(k % SIDE, Math.floor(k / SIDE)));

test("a contour of a cone is a circle", () => {
  const segments = contour(grid((x, y) => Math.hypot(x - MIDDLE, y - MIDDLE)), SIDE, 6);
  assert.ok(segments.length > 20);
  for (const [x, y] of segments.flat()) {
    assert.ok(Math.abs(Math.hypot(x - MIDDLE, y - MIDDLE) - 6) < 0.1);
  }
});

test("a contour is closed where it does not leave the grid", () => {
  const ends = new Map();
  for (const [x, y] of contour(grid((x, y) => Math.hypot(x - MIDDLE, y - MIDDLE)), SIDE, 6.5).flat()) {
    const key = `${x.toFixed(6)},${y.toFixed(6)}`;
    ends.set(key, (ends.get(key) ?? 0) + 1);
  }
  assert.ok([...ends.values()].every((count) => count === 2));
});

test("a saddle has two pieces in one cell, and a plain none", () => {
  assert.equal(contour([0, 1, 1, 0], 2, 0.5).length, 2);
  assert.equal(contour([1, 1, 1, 1], 2, 0.5).length, 0);
});

test("levels are round, and between the least and the greatest", () => {
  assert.deepEqual(levels(0.018, 1.31), [0.02, 0.05, 0.1, 0.2, 0.5, 1]);
  assert.deepEqual(levels(0.3, 0.31), []);
});

test("between two rows there are others", () => {
  const rows = [[-1, 1], [0, -1]];
  assert.deepEqual(between(rows, 0.5), [-0.5, 0]);
  assert.deepEqual(between(rows, 1), [0, -1]);
});
