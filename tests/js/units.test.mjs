/** The network's own parts: what the browser makes of the layers that Python sends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Layer, apart, between } from "../../metademo/ui/components/units/layer.js";
import { pathOf } from "../../metademo/ui/components/kernel/paths.js";
import { neighbour } from "../../metademo/ui/components/units/places.js";

/** Rows as curves.py packs them, in units of a thousandth. @param {number[][]} rows */
function packed(rows) {
  const numbers = Int16Array.from(rows.flat(), (value) => Math.round(value * 1000) - 32500);
  return { rows: rows.length, start: 0, unit: 0.001, y: Buffer.from(numbers.buffer).toString("base64") };
}

const DATA = { // two steps apart, two units that are shown and another one, three places
  number: 2, title: "", telling: 1, others: 1,
  units: [[2, 0.5, ""], [1, 0.1, ""]],
  activations: packed([[1, 2, 3], [4, 5, 6], [3, 2, 1], [4, 5, 6]]),
  contributions: packed([[1, 1, 1], [2, 2, 2], [3, 3, 3], [5, 5, 5], [4, 4, 4], [3, 3, 3]]),
  rest: packed([[10, 10, 10], [20, 20, 20]]),
  pushes: packed([[1, 2], [0, 0], [3, 1], [0, 0]]),
};

/** @param {ArrayLike<number>} values */
const round = (values) => Array.from(values, (value) => Math.round(value * 1000) / 1000);

test("the sum begins with the biases and ends with all shares, at each step and between", () => {
  const layer = new Layer(DATA);
  assert.equal(layer.parts, 3);
  assert.equal(layer.units, 3);
  assert.deepEqual(round(layer.sum(0, 0)), [10, 10, 10]);
  assert.deepEqual(round(layer.sum(1, 0)), [11, 11, 11]);
  assert.deepEqual(round(layer.sum(3, 1)), [32, 32, 32]);
  assert.deepEqual(round(layer.sum(3, 0.5)), [24, 24, 24]);
  assert.deepEqual(round(layer.sum(0, 0)), [10, 10, 10]); // what was added is not kept
});

test("a unit's curve and its pushes lie between those of two steps", () => {
  const layer = new Layer(DATA);
  assert.deepEqual(round(layer.curve("activations", 0, 0.5)), [2, 2, 2]);
  assert.deepEqual(round(layer.pushes(0, 0.5)), [2, 1.5]);
  assert.deepEqual([0, 1].map((unit) => round(layer.hardest(unit))), [[3, 2], [0, 0]]);
});

test("a step that is not there is the nearest one", () => {
  const lines = [Float64Array.of(1), Float64Array.of(2)];
  assert.equal(between(lines, 7), lines[1]);
  assert.equal(between(lines, -1), lines[0]);
});

test("two curves are apart on average and at most", () => {
  assert.deepEqual(apart(Float64Array.of(1, 2), Float64Array.of(1, 5)), { mean: 1.5, most: 3 });
});

test("the scale of small curves holds 0", () => {
  assert.deepEqual(round(new Layer(DATA).range("activations")), [0, 6]);
});

test("a path has gaps where there is no value", () => {
  const same = (/** @type {number} */ v) => v;
  assert.equal(pathOf(Float64Array.of(0, 1, NaN, 3), same, same), "M0.0,0.0L0.3,1.0M1.0,3.0");
  assert.equal(pathOf(Float64Array.of(NaN), same, same), "M0,0");
});

test("arrows go about a grid and stop at its edges", () => {
  const go = (/** @type {string} */ key, /** @type {number} */ place) => neighbour(key, place, 10, 4);
  assert.deepEqual(["ArrowRight", "ArrowDown", "End"].map((key) => go(key, 1)), [2, 5, 9]);
  assert.deepEqual(["ArrowLeft", "ArrowUp", "Home"].map((key) => go(key, 5)), [4, 1, 0]);
  assert.deepEqual([go("ArrowLeft", 0), go("ArrowUp", 3), go("ArrowDown", 6), go("x", 5)], [null, null, null, null]);
});
