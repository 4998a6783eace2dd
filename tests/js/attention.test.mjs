/** Where a transformer looks: the shares that Python sends, in numbers and in words; and the outline of a band. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, placeOf, sharesAt, told, xOf } from "../../metademo/ui/components/attention/shares.js";
import { around } from "../../metademo/ui/components/kernel/plot.js";

/** One layer, two heads, three places; before any point, and after one. @type {number[]} */
const SENT = [
  255, 255, 255, 255, 255, 255,
  0, 255, 51, 204, 255, 0, 255, 0, 51, 204, 0, 255,
];
/** @type {import("../../metademo/ui/components/attention/shares.js").Shares} */
const DATA = {
  xRange: [-1, 1], points: [[0.5, 2]], layers: 1, heads: 2, places: 3, shares: Buffer.from(SENT).toString("base64"),
};
const NUMBERS = bytes(DATA.shares);

test("a share is found by step, head and place; no head is the mean of all", () => {
  assert.deepEqual(sharesAt(DATA, NUMBERS, { step: 0, layer: 0, head: 1, place: 2 }), [1]);
  assert.deepEqual(sharesAt(DATA, NUMBERS, { step: 1, layer: 0, head: 0, place: 1 }), [0.2, 0.8]);
  assert.deepEqual(sharesAt(DATA, NUMBERS, { step: 1, layer: 0, head: 1, place: 2 }), [0, 1]);
  assert.deepEqual(sharesAt(DATA, NUMBERS, { step: 1, layer: 0, head: null, place: 0 }), [0.5, 0.5]);
});

test("a place is the nearest one, and within the axis", () => {
  assert.deepEqual([-9, -0.6, -0.4, 0.9, 9].map((x) => placeOf(DATA, x)), [0, 0, 1, 2, 2]);
  assert.deepEqual([0, 1, 2].map((place) => xOf(DATA, place)), [-1, 0, 1]);
});

test("where it looks, in words", () => {
  assert.equal(told(DATA, 1, [1]), "At x = 0.0 it has no point to look at yet.");
  assert.equal(told(DATA, 0, [0, 1]), "At x = −1.0 it looks at the point at x = 0.5 for 100 %.");
  assert.equal(told(DATA, 0, [0.4, 0.6]), "At x = −1.0 it looks at the point at x = 0.5 for 60 %, and at none of them for 40 %.");
  assert.equal(told(DATA, 0, [1, 0]), "At x = −1.0 it looks at none of them for 100 %.");
});

test("a band goes along its upper edge and back along the lower one, where it has both", () => {
  const { x, y } = around(Float64Array.of(0, 1, 2, 3), Float64Array.of(NaN, 1, 2, 3), Float64Array.of(5, 6, 7, NaN));
  assert.deepEqual([...x], [1, 2, 2, 1]);
  assert.deepEqual([...y], [6, 7, 2, 1]);
});
