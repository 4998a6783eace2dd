/** Drawings as text: what is kept of a stroke, and what becomes of the signs by gestures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIDE, carriedOut, hasRoom, pathOf, simplified, strokesOf, textOf } from "../../metademo/ui/components/draw/strokes.js";

const MOST = { strokes: 3, letters: 40, signs: 3, examples: 2 };
const READY = [{ name: "line", drawings: ["01019999", "02029898"] }];
const DRAWN = { signs: [["00001010"], [""]], question: "" };

/** How far a point is from the nearest of some lines. */
function away([x, y], line) {
  return Math.min(...line.slice(1).map(([bx, by], k) => {
    const [ax, ay] = line[k];
    const [dx, dy] = [bx - ax, by - ay];
    const t = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
    return Math.hypot(x - ax - t * dx, y - ay - t * dy);
  }));
}

test("a line keeps its ends alone, and a corner stays", () => {
  const line = Array.from({ length: 50 }, (_, k) => [k, 2 * k]);
  assert.deepEqual(simplified(line, 0.6), [line[0], line[49]]);
  assert.deepEqual(simplified([[0, 0], [10, 0], [10, 10]], 0.6), [[0, 0], [10, 0], [10, 10]]);
  assert.deepEqual(simplified([[3, 4]], 0.6), [[3, 4]]);
});

test("what is left out of a curve lies as near to what is kept as was asked for", () => {
  const curve = Array.from({ length: 400 }, (_, k) => [50 + 0.1 * k * Math.cos(k / 20), 50 + 0.1 * k * Math.sin(k / 20)]);
  for (const rough of [0.3, 0.6, 2]) {
    const kept = simplified(curve, rough);
    assert.ok(kept.length < 100);
    for (const point of curve) assert.ok(away(point, kept) <= rough + 1e-9);
  }
});

test("text goes there and back, in whole numbers on the square, whatever the pen has sent", () => {
  assert.equal(textOf([[0.4, 98.6], [12, 7]]), "00991207");
  assert.equal(textOf([[-5, 140]]), `00${SIDE}`);
  assert.equal(textOf([[5, 5], [5.2, 5.1], [5, 5]]), "0505", "a dot is one point");
  assert.deepEqual(strokesOf("00991207.0505"), [[[0, 99], [12, 7]], [[5, 5]]]);
  assert.deepEqual(strokesOf(""), []);
});

test("however long somebody scribbles, a stroke fits into an address", () => {
  let seed = 1;
  const random = () => { seed = (seed * 16807) % 2147483647; return seed / 21474836.47; };
  const scribble = Array.from({ length: 20000 }, () => [random(), random()]);
  assert.ok(textOf(scribble).length <= 240);
});

test("each gesture is about its own drawing", () => {
  const after = (...gestures) => carriedOut(DRAWN, gestures.map((g) => ({ final: true, ...g })), MOST, READY);
  assert.deepEqual(after({ kind: "stroke", at: [0, 0], text: "2020" }).signs, [["00001010.2020"], [""]]);
  assert.deepEqual(after({ kind: "stroke", at: [-1, 0], text: "2020" }).question, "2020");
  assert.deepEqual(after({ kind: "add", to: [2, 0] }, { kind: "draw", at: [2, 0], text: "3030" }).signs[2], ["3030"]);
  assert.deepEqual(after({ kind: "add", to: [0, 1] }, { kind: "add", to: [0, 2] }).signs[0], ["00001010", ""], "two are the most");
  assert.deepEqual(after({ kind: "add", to: [2, 0] }, { kind: "remove", at: [0, 0] }).signs, [[""], [""]]);
  assert.deepEqual(after({ kind: "remove", at: [0, 0] }), DRAWN, "two signs are the least");
  assert.deepEqual(after({ kind: "clear", at: [0, 0] }).signs, [[""], [""]]);
  assert.deepEqual(after({ kind: "undo" }, { kind: "stroke", at: [4, 0], text: "2020" }), DRAWN);
});

test("a stroke that is going on is the pad's to show, and one without room is none", () => {
  const stroke = { kind: "stroke", at: [0, 0], text: "2020" };
  assert.deepEqual(carriedOut(DRAWN, [{ ...stroke, final: false }], MOST, READY), DRAWN);
  const full = { signs: [["0000.0000.0000"], [""]], question: "" };
  assert.ok(!hasRoom("0000.0000.0000", "2020", MOST));
  assert.deepEqual(carriedOut(full, [{ ...stroke, final: true }], MOST, READY), full);
  assert.ok(!hasRoom("0".repeat(36), "2020", MOST));
  assert.ok(hasRoom("0".repeat(32), "2020", MOST));
});

test("a ready-made drawing gives way to the first stroke, and what was drawn does not", () => {
  const strokes = ["2020", "3030"].map((text) => ({ kind: "stroke", at: [-1, 0], text, final: true }));
  assert.equal(carriedOut({ ...DRAWN, question: "02029898" }, strokes, MOST, READY).question, "2020.3030");
  assert.equal(carriedOut({ ...DRAWN, question: "02029797" }, strokes, MOST, READY).question, "02029797.2020.3030");
});

test("a path is smooth where the pen went round, straight from corner to corner, and a dot is drawn, too", () => {
  assert.equal(pathOf([[[5, 5]]]), "M5,5L5,5");
  assert.equal(pathOf([[[0, 0], [9, 0], [9, 9]]]), "M0,0C0,0 9,0 9,0C9,0 9,9 9,9");
  const round = pathOf([[[0, 0], [9, 0], [18, 3]]]);
  const [, into, at, out] = round.match(/^M0,0C0,0 (\S+) (9,0)C(\S+) /);
  const [a, b] = [into, out].map((place) => place.split(",").map(Number));
  assert.equal(at, "9,0");
  assert.ok(a[0] < 9 && b[0] > 9);
  assert.ok(Math.abs((b[1] - 0) / (b[0] - 9) - (0 - a[1]) / (9 - a[0])) < 0.05, "no corner where it is smooth");
});
