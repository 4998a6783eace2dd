/** Numbers, axes and ticks: what is written is what is meant. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, percent, pretty } from "../../metademo/ui/components/kernel/formats.js";
import { errorText, labels, linearScale, logScale, niceUnit, stepTicks } from "../../metademo/ui/components/kernel/scales.js";
import { lossScale, stepScale } from "../../metademo/ui/components/train_stage/axes.js";

const read = (text) => Number(text.replaceAll("−", "-").replaceAll(",", "").replace(/[≤≥]/, ""));

/** Each label is its tick's value. */
function check(ticks, name) {
  for (const v of ticks) assert.ok(Math.abs(read(name(v)) - v) <= 1e-9 * Math.abs(v), `${v} is labelled ${name(v)}`);
}

test("numbers for people", () => {
  const texts = [[0.07, "0.070"], [1.25, "1.25"], [12.34, "12.3"], [123.4, "123"], [4e-4, "4e−4"], [-4e-4, "−4e−4"],
    [-1.5, "−1.50"], [0, "0"], [1e5, "1.0e+5"], [null, "–"], [NaN, "–"], [Infinity, "–"]];
  for (const [value, text] of texts) assert.equal(pretty(value), text);
});

test("shares for people, as Python writes them: see test_facts.py", () => {
  const texts = [[0, "0 %"], [0.004, "<1 %"], [0.125, "13 %"], [0.685, "69 %"], [0.996, ">99 %"], [1, "100 %"], [NaN, "–"]];
  for (const [share, text] of texts) assert.equal(percent(share), text);
});

test("errors for people", () => {
  const texts = [[null, "diverges"], [1e9, "diverges"], [0, "0"], [5.01e-14, "< 1e−6"], [4e-4, "4e−4"], [0.0123, "0.012"],
    [0.5, "0.50"], [12.3, "12.3"], [1234, "1234"]];
  for (const [value, text] of texts) assert.equal(errorText(value), text);
});

test("a number is kept between two others", () => {
  assert.deepEqual([-1, 0.5, 2].map((v) => clamp(v, 0, 1)), [0, 0.5, 1]);
});

test("labels of ticks are their values", () => {
  for (let e = -7; e <= 4; e += 1) {
    for (let m = 1; m < 10; m += 0.37) {
      for (const scale of [linearScale(0, m * 10 ** e), linearScale(-m * 10 ** e, m), logScale([10 ** e, m * 10 ** e, 10 ** (e + m)])]) {
        check(scale.ticks, scale.name);
      }
    }
  }
  const values = [0.5, 0.625, 0.75, 0.875, 1, 1.125];
  check(values, labels(values));
  const quarter = linearScale(0, 0.55);
  assert.deepEqual(quarter.ticks.map(quarter.name), ["0.00", "0.25", "0.50", "0.75"]);
});

test("a linear axis holds its values, and its ends are its first and last tick", () => {
  for (const [low, high] of [[0, 1], [-0.3, 0.7], [0.11, 0.12], [-5000, 3]]) {
    const { share, ticks } = linearScale(low, high);
    assert.ok(share(low) >= -1e-9 && share(high) <= 1 + 1e-9);
    assert.ok(Math.abs(share(ticks[0])) < 1e-9 && Math.abs(share(ticks.at(-1)) - 1) < 1e-9);
  }
});

test("a logarithmic axis says what lies beyond its ends", () => {
  const low = logScale([1e-14, 0.1, 0.2]);
  assert.equal(low.name(low.ticks[0]), "≤1e−4");
  assert.equal(low.share(1e-14), 0);
  assert.equal(low.share(0), 0);
  const high = logScale([0.03, 0.2, 1e9]);
  assert.equal(high.ticks.at(-1), 1);
  assert.equal(high.name(1), "≥1");
  assert.equal(high.share(1e9), 1);
  assert.ok(logScale([]).ticks.length > 1); // nothing is known yet
  assert.ok(logScale([null, 0]).ticks.every(Number.isFinite));
});

test("units are round, and steps whole", () => {
  assert.deepEqual([1, 1.5, 2.2, 3, 7, 0.03].map(niceUnit).map((v) => Number(v.toPrecision(6))), [1, 2, 2.5, 5, 10, 0.05]);
  assert.deepEqual(stepTicks(0), [0]);
  assert.deepEqual(stepTicks(10), [0, 2, 4, 6, 8, 10]);
  for (const steps of [1, 3, 7, 50, 999]) {
    const ticks = stepTicks(steps);
    assert.ok(ticks.every(Number.isInteger) && ticks.length <= 8 && ticks.at(-1) <= steps);
  }
});

test("outer steps: a place on the axis leads back to its step", () => {
  for (const log of [false, true]) {
    for (const most of [0, 1, 30, 20000]) {
      const scale = stepScale(most, log, { left: 40, right: 640 });
      check(scale.ticks.map(([v]) => v), (v) => scale.ticks.find(([tick]) => tick === v)[1]);
      assert.equal(scale(0), 40);
      for (const share of [0.2, 0.5, 1]) {
        if (share * most < 0.5) continue; // on a log axis all below lies at its left end
        assert.ok(Math.abs(scale.invert(scale(share * most)) - share * most) < 1e-6 * most);
      }
      if (most) assert.ok(Math.abs(scale(most) - 640) < 1e-9);
    }
  }
});

test("losses: larger is higher, and a wild one does not flatten the others", () => {
  const area = { top: 10, bottom: 210 };
  const data = (errors) => ({ lines: [{ smooth: [null, 2, 0.5], errors }], errors, top: 5, ignoring: 4 });
  for (const log of [false, true]) {
    const scale = lossScale(data([1, 1e7]), log, area);
    assert.ok(scale(0.5) > scale(1) && scale(1) > scale(4));
    assert.ok(scale(1e7) < area.top && scale.most < 1e3);
    check(scale.ticks.map(([v]) => v), (v) => scale.ticks.find(([tick]) => tick === v)[1]);
  }
});
