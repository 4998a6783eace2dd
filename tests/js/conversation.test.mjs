/**
 * The conversation with a server over a line that delays, drops all messages but the latest, skips answers, and whose
 * server is restarted now and then. What the visitor sees is at every moment what was done, in order, each once.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../metademo/ui/components/kernel/conversation.js";
import { carriedOut } from "../../metademo/ui/components/kernel/gestures.js";
import { shared } from "../../metademo/ui/components/kernel/shared.js";
import { Clock, randomFrom } from "./clock.mjs";
import { MAX_POINTS, Server, viewAfter } from "./server.mjs";

const HISTORIES = 300;

/** A visitor at a chart, as chart.js has it: the server's last answer under what is not answered yet. */
class Visitor {
  constructor(server, random) {
    Object.assign(this, { server, random, done: [], held: null });
    this.conversation = new Conversation((message) => { server.mailbox = message; });
    this.hear();
    this.wanted = this.known;
  }

  /** The next answer arrives. */
  hear() {
    const answer = this.server.answers.shift();
    if (answer && this.conversation.take(answer)) this.known = JSON.parse(answer.view);
  }

  get shown() {
    const { pending } = this.conversation.gestures;
    const chosen = pending.findLast((gesture) => gesture.kind === "value");
    return { ...carriedOut(this.known, pending, MAX_POINTS), value: chosen ? chosen.value : this.known.value };
  }

  do(gesture) {
    this.done.push(gesture);
    this.wanted = viewAfter(this.wanted, gesture);
    this.conversation.gestures.add(gesture);
  }

  /** Something that the chart allows now. */
  act() {
    const { random, held } = this;
    const [place, { points, example }] = [[random() * 6 - 3, random() * 2 - 1], this.shown];
    const one = points[Math.floor(random() * points.length)];
    const choice = random();
    if (held) {
      const final = choice < 0.2;
      if (held.at) this.do({ kind: "move", at: held.at, to: place, final });
      else this.do({ kind: "value", value: random(), final });
      this.held = final ? null : { at: held.at && place };
    } else if (choice < 0.3 && (points.length < MAX_POINTS || example)) {
      this.do({ kind: "add", to: place, final: true });
    } else if (choice < 0.4 && one) {
      this.do({ kind: "remove", at: one, final: true });
    } else if (choice < 0.43) {
      this.do({ kind: "clear", final: true });
    } else if (choice < 0.75) {
      this.held = { at: one };
    } else {
      this.held = { at: null };
    }
  }
}

/** Play one random history to its end and check it all along. */
function play(clock, seed, { restarts }) {
  const random = randomFrom(seed);
  const server = new Server();
  const visitor = new Visitor(server, random);
  const [haste, speed] = [0.2 + 0.6 * random(), 0.05 + 0.6 * random()];
  for (let turn = 0; turn < 80; turn += 1) {
    if (random() < haste) visitor.act();
    clock.pass(Math.floor(random() * 12));
    if (random() < speed) server.run();
    while (random() < 0.1) server.answers.shift(); // it was overtaken by the next
    if (random() < speed) visitor.hear();
    if (restarts && random() < 0.03) server.start();
    assert.deepEqual(visitor.shown, visitor.wanted, `history ${seed}, turn ${turn}`);
  }
  if (!server.answers.length) server.answer();
  for (let turn = 0; turn < 100 && !(visitor.conversation.gestures.settled && !server.answers.length); turn += 1) {
    clock.pass(1000);
    server.run();
    visitor.hear();
  }
  assert.ok(visitor.conversation.gestures.settled, `history ${seed} is answered`);
  assert.deepEqual(visitor.shown, visitor.wanted);
  assert.deepEqual(server.view, visitor.wanted, `history ${seed} on the server`);
  visitor.conversation.destroy();
  return { server, visitor };
}

/** Of the drags only where each message ends: the rest of both lists must be the same. */
function withoutDrags(gestures) { return gestures.filter(({ kind }) => !["move", "value"].includes(kind)); }

const bare = ({ kind, at, to, value }) => ({ kind, at, to, value });

for (const restarts of [false, true]) {
  test(`nothing is lost, doubled, taken back or out of order${restarts ? ", though servers come and go" : ""}`, (t) => {
    const clock = new Clock().install(t);
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
      const { server, visitor } = play(clock, seed, { restarts });
      if (restarts) continue; // a new server may rightly do again what the old one had not told
      const numbers = server.carriedOut.map((gesture) => gesture.seq);
      assert.deepEqual(numbers, numbers.map((_, i) => i + 1));
      assert.deepEqual(withoutDrags(server.carriedOut).map(bare), withoutDrags(visitor.done).map(bare));
      const ends = ({ kind, final }) => final && ["move", "value"].includes(kind);
      assert.deepEqual(server.carriedOut.filter(ends).map((g) => g.to ?? g.value),
        visitor.done.filter(ends).map((g) => g.to ?? g.value));
    }
  });
}

test("undo and the like reach the server once each and in their place", (t) => {
  new Clock().install(t);
  const server = new Server();
  const visitor = new Visitor(server, randomFrom(1));
  for (const kind of ["undo", "redo", "new", "undo"]) visitor.conversation.gestures.add({ kind, final: true });
  server.run();
  server.mailbox = { visit: server.visit, gestures: visitor.conversation.gestures.pending }; // once more
  server.run();
  assert.deepEqual(server.carriedOut.map((gesture) => gesture.kind), ["undo", "redo", "new", "undo"]);
});

test("what a new server shows is not drawn before it has what was shown", (t) => {
  const clock = new Clock().install(t);
  const server = new Server();
  const visitor = new Visitor(server, randomFrom(1));
  const { gestures } = visitor.conversation;
  gestures.add({ kind: "add", to: [1, 1], final: true });
  clock.pass(0);
  server.run();
  visitor.hear();
  server.start();
  server.answer();
  assert.equal(visitor.conversation.take(server.answers[0]), false);
  assert.equal(visitor.conversation.take(server.answers[1]), false);
  clock.pass(0);
  server.run();
  assert.equal(visitor.conversation.take(server.answers.at(-1)), true);
  assert.deepEqual(server.view.points, [[1, 1]]);
});

test("the page hears once that the hand has come to rest, and only when all is answered", (t) => {
  const clock = new Clock().install(t);
  const server = new Server();
  const { conversation } = new Visitor(server, randomFrom(1));
  const heard = [];
  t.after(shared("page").follow(({ rested }) => rested && heard.push(rested)));
  conversation.gestures.add({ kind: "add", to: [1, 1], final: true });
  conversation.rest(false);
  clock.pass(1000);
  assert.deepEqual(heard, []);
  server.run();
  conversation.take(server.answers.shift());
  conversation.rest(true); // a point is in hand
  clock.pass(1000);
  assert.deepEqual(heard, []);
  conversation.rest(false);
  conversation.rest(false);
  clock.pass(1000);
  conversation.rest(false);
  clock.pass(1000);
  assert.deepEqual(heard, [1]);
});
