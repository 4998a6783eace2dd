/** Gestures by themselves: what is sent when, what is merged, and what each does to the points. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Gestures, WINDOW, carriedOut, find } from "../../metademo/ui/components/kernel/gestures.js";
import { Clock } from "./clock.mjs";

const A = [0, 1];
const B = [1, -1];
const C = [2, 0.5];
const PAUSE = 16; // ms between two messages of a drag, at least

function start(t) {
  const clock = new Clock().install(t);
  const posted = [];
  const gestures = new Gestures((message) => posted.push(message));
  return { clock, posted, gestures };
}

const value = (number, final = false) => ({ kind: "value", value: number, final });
const values = (posted) => posted.map((message) => message.gestures.map((gesture) => gesture.value));

test("a final gesture goes at once, with all that is not answered", (t) => {
  const { posted, gestures } = start(t);
  gestures.add({ kind: "add", to: A, final: true });
  gestures.add({ kind: "add", to: B, final: true });
  assert.deepEqual(posted.map((message) => message.gestures.map(({ seq, to }) => [seq, to])), [[[1, A]], [[1, A], [2, B]]]);
  gestures.answered(1);
  gestures.add({ kind: "clear", final: true });
  assert.deepEqual(posted.at(-1).gestures.map((gesture) => gesture.seq), [2, 3]);
  assert.ok(!gestures.settled);
  gestures.answered(3);
  assert.ok(gestures.settled);
  assert.ok(posted.every((message) => message.visit === gestures.visit));
});

test("between two messages of a drag lies a pause, and what comes within it is one gesture", (t) => {
  const { clock, posted, gestures } = start(t);
  gestures.add(value(1));
  clock.pass(PAUSE / 4);
  gestures.add(value(2));
  gestures.add(value(3));
  assert.deepEqual(values(posted), [[1]]);
  clock.pass(PAUSE / 2);
  assert.deepEqual(values(posted), [[1]]);
  clock.pass(PAUSE / 4);
  assert.deepEqual(values(posted), [[1], [1, 3]]);
  clock.pass(1000);
  assert.equal(posted.length, 2); // nothing is sent again by itself
});

test("the end of a drag does not wait", (t) => {
  const { posted, gestures } = start(t);
  gestures.add(value(1));
  gestures.add(value(2, true));
  assert.deepEqual(values(posted), [[1], [1, 2]]);
});

test("a drag waits for an answer when WINDOW messages are on their way", (t) => {
  const { clock, posted, gestures } = start(t);
  for (let i = 1; i <= 3 * WINDOW; i += 1) {
    gestures.add(value(i));
    clock.pass(PAUSE);
  }
  assert.equal(posted.length, WINDOW);
  gestures.answered(1);
  assert.equal(posted.length, WINDOW + 1);
  assert.equal(posted.at(-1).gestures.at(-1).value, 3 * WINDOW);
  gestures.add(value(100));
  clock.pass(PAUSE);
  assert.equal(posted.length, WINDOW + 1);
  gestures.add(value(101, true)); // a final one never waits
  assert.equal(posted.at(-1).gestures.at(-1).value, 101);
});

test("an answer to all reopens the line, however many messages it answers", (t) => {
  const { clock, posted, gestures } = start(t);
  for (let i = 1; i <= WINDOW; i += 1) {
    gestures.add(value(i));
    clock.pass(PAUSE);
  }
  gestures.answered(WINDOW); // the server saw only the latest of them
  for (let i = 1; i <= WINDOW; i += 1) {
    gestures.add(value(10 + i));
    clock.pass(PAUSE);
  }
  assert.equal(posted.length, 2 * WINDOW);
});

test("an answer that is late or comes again changes nothing", (t) => {
  const { posted, gestures } = start(t);
  [A, B, C].forEach((to) => gestures.add({ kind: "add", to, final: true }));
  gestures.answered(2);
  gestures.answered(1);
  gestures.answered(2);
  gestures.answered(0);
  assert.deepEqual(gestures.pending.map((gesture) => gesture.to), [C]);
  assert.equal(posted.length, 3);
});

test("a drag merges only what was not sent, and keeps where it began", (t) => {
  const { clock, posted, gestures } = start(t);
  const move = (at, to, final = false) => gestures.add({ kind: "move", at, to, final });
  move(A, [0, 2]); // sent at once: it stays as it is
  move([0, 2], [0, 3]);
  move([0, 3], [0, 4]);
  assert.deepEqual(gestures.pending.map(({ at, to }) => [at, to]), [[A, [0, 2]], [[0, 2], [0, 4]]]);
  move(B, [1, 5]); // another point
  assert.equal(gestures.pending.length, 3);
  gestures.add(value(7)); // another kind
  assert.equal(gestures.pending.length, 4);
  gestures.add(value(8, true));
  gestures.add(value(9));
  assert.deepEqual(gestures.pending.slice(3).map((gesture) => gesture.value), [8, 9]); // a final one is over
  clock.pass(PAUSE);
  assert.deepEqual(posted.at(-1).gestures.map((gesture) => gesture.seq), [1, 2, 3, 4, 5]);
});

test("a message is as it was when it was posted", (t) => {
  const { clock, posted, gestures } = start(t);
  gestures.add(value(1));
  gestures.add(value(2));
  clock.pass(PAUSE);
  gestures.restore("{}");
  assert.deepEqual(posted.slice(0, 2).map((message) => message.gestures.at(-1).seq), [1, 2]);
});

test("a server that has forgotten the visit gets it anew: the view, then what is pending", (t) => {
  const { clock, posted, gestures } = start(t);
  const { visit } = gestures;
  gestures.add({ kind: "add", to: A, final: true });
  gestures.answered(1);
  gestures.add({ kind: "add", to: B, final: true });
  gestures.add(value(1));
  gestures.restore("view");
  assert.notEqual(gestures.visit, visit);
  const { gestures: sent, visit: anew } = posted.at(-1);
  assert.equal(anew, gestures.visit);
  assert.deepEqual(sent.map(({ seq, kind }) => [seq, kind]), [[1, "restore"], [2, "add"], [3, "value"]]);
  assert.equal(sent[0].view, "view");
  clock.pass(1000);
  gestures.answered(3);
  assert.ok(gestures.settled);
  assert.equal(gestures.onTheWay, 0);
});

test("nothing is sent once it is destroyed", (t) => {
  const { clock, posted, gestures } = start(t);
  gestures.add(value(1));
  gestures.add(value(2));
  gestures.destroy();
  clock.pass(1000);
  assert.equal(posted.length, 1);
});

test("each kind does what it says, and what cannot be known here does nothing", () => {
  const after = (points, gesture, example = false) => carriedOut({ points, example }, [gesture], 20);
  assert.deepEqual(after([A], { kind: "add", to: B }), { points: [A, B], example: false });
  assert.deepEqual(after([A, B], { kind: "add", to: C }, true), { points: [C], example: false });
  assert.deepEqual(after([A, B], { kind: "move", at: A, to: C }, true), { points: [C, B], example: false });
  assert.deepEqual(after([B], { kind: "move", at: A, to: C }).points, [B, C]);
  assert.deepEqual(after([A, B], { kind: "remove", at: A }).points, [B]);
  assert.deepEqual(after([B], { kind: "remove", at: A }).points, [B]);
  assert.deepEqual(after([A, B], { kind: "clear" }).points, []);
  for (const kind of ["undo", "redo", "new", "value", "restore"]) {
    assert.deepEqual(after([A, B], { kind }, true), { points: [A, B], example: true });
  }
});

test("a point too many is gone at once, and does not come back when another goes", () => {
  const gestures = [{ kind: "add", to: C }, { kind: "remove", at: A }];
  assert.deepEqual(carriedOut({ points: [A, B], example: false }, gestures, 2).points, [B]);
});

test("a point is found by x, and the nearest in y of several", () => {
  assert.equal(find([[0.5, 0.48], [1, 0.84]], [1, -0.3]), 1);
  assert.equal(find([[1, 0.9], [1, -0.9]], [1, -0.8]), 1);
  assert.equal(find([[1, 0.9]], [1.1, 0.9]), -1);
  assert.equal(find([], A), -1);
});

test("a stroke goes on at its own place alone, and the next one there is another", (t) => {
  const { clock, posted, gestures } = start(t);
  const stroke = (at, text, final = false) => ({ kind: "stroke", at, text, final });
  gestures.add(stroke(A, "1"));
  gestures.add(stroke(A, "12"));
  gestures.add(stroke(A, "123", true)); // the first was sent at once; the others are one
  gestures.add(stroke(A, "4"));
  gestures.add(stroke(B, "5", true));
  clock.pass(PAUSE);
  const last = posted.at(-1).gestures.map(({ seq, text, final }) => [seq, text, final]);
  assert.deepEqual(last, [[1, "1", false], [2, "123", true], [3, "4", false], [4, "5", true]]);
});
