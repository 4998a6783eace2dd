/** A drawing: what the pen passes is drawn, and the rest goes straight between it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dotted, filled, fromPairs, stroked, toPairs } from "../../metademo/ui/components/sketch/heights.js";

const EMPTY = fromPairs([], 5);

test("pairs and heights are the same drawing", () => {
  const pairs = [[1, -20], [3, 0], [4, 7]];
  assert.deepEqual(fromPairs(pairs, 5), [null, -20, null, 0, 7]);
  assert.deepEqual(toPairs(fromPairs(pairs, 5)), pairs);
  assert.deepEqual(toPairs(EMPTY), []);
});

test("a stroke sets the knots that it passes, in whole numbers, whichever way it goes", () => {
  const there = stroked(EMPTY, [0.5, 10], [3, 20]);
  assert.deepEqual(there, [null, 12, 16, 20, null]);
  assert.deepEqual(stroked(EMPTY, [3, 20], [0.5, 10]), there);
  assert.deepEqual(EMPTY, [null, null, null, null, null], "what was drawn before is left as it was");
});

test("a stroke goes over what was drawn, and leaves the rest", () => {
  const before = fromPairs([[0, 1], [1, 1], [2, 1], [3, 1], [4, 1]], 5);
  assert.deepEqual(stroked(before, [0.9, 50], [2.1, 50]), [1, 50, 50, 1, 1]);
});

test("a stroke beyond the ends, and one straight up", () => {
  assert.deepEqual(stroked(EMPTY, [-3, 5], [9, 5]), [5, 5, 5, 5, 5]);
  assert.deepEqual(stroked(EMPTY, [2, 0], [2, 30]), [null, null, 30, null, null]);
  assert.deepEqual(stroked(EMPTY, [2.2, 0], [2.4, 30]), EMPTY);
});

test("a touch is a dot at the nearest knot", () => {
  assert.deepEqual(dotted(EMPTY, [2.4, 9.6]), [null, null, 10, null, null]);
  assert.deepEqual(dotted(EMPTY, [-1, 3]), [3, null, null, null, null]);
  assert.deepEqual(dotted(EMPTY, [7, 3]), [null, null, null, null, 3]);
});

test("where nothing is drawn it goes straight between what is, and level at the ends", () => {
  assert.deepEqual(filled(fromPairs([[1, 10], [3, 20]], 5)), [10, 10, 15, 20, 20]);
  assert.deepEqual(filled(fromPairs([[4, 3]], 5)), [3, 3, 3, 3, 3]);
  assert.deepEqual(filled(EMPTY), []);
});
