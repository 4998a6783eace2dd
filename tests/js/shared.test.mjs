/** What goes to the server, what the parts of a page share, and what Python packs into a curve. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sendAlone } from "../../metademo/ui/components/kernel/messages.js";
import { decode } from "../../metademo/ui/components/kernel/rows.js";
import { faded, shared } from "../../metademo/ui/components/kernel/shared.js";
import { Clock } from "./clock.mjs";

test("what goes to the server for one fragment goes alone, and in order", (t) => {
  const clock = new Clock().install(t);
  const sent = [];
  let batch = [];
  const send = (name) => () => { // Streamlit sends what was set within one turn after it
    if (!batch.length) setTimeout(() => { sent.push(batch); batch = []; });
    batch.push(name);
  };
  ["a", "b", "c"].forEach((name) => sendAlone(send(name)));
  clock.pass(0);
  sendAlone(send("d"));
  clock.pass(0);
  assert.deepEqual(sent, [["a"], ["b"], ["c"], ["d"]]);
});

test("listeners hear what is known, then what differs", () => {
  const place = shared("one page");
  assert.equal(place, shared("one page"));
  assert.notEqual(place, shared("another"));
  place.set({ step: 1 });
  const heard = [];
  const end = place.follow((news) => heard.push(news));
  place.set({ step: 1 });
  place.set({ step: 2, rested: 5 });
  place.set({ step: 3, rested: 5 });
  end();
  place.set({ step: 4 });
  assert.deepEqual(heard, [{ step: 1 }, { step: 2, rested: 5 }, { step: 3 }]);
});

test("a name that is pinned is in front until it is chosen again, and pointing goes before it", () => {
  const place = shared("pinned");
  const fronts = [];
  place.follow(({ name }) => name !== undefined && fronts.push(name));
  place.hover("a");
  place.pin("b");
  place.hover(null);
  place.hover("a");
  place.hover(null);
  place.pin("b");
  assert.deepEqual(fronts, ["a", "b", "a", "b", null]);
});

test("what is not in front fades, and nothing does if the one in front is elsewhere", () => {
  assert.deepEqual(faded("b", ["a", "b", "c"]), [true, false, true]);
  assert.deepEqual(faded("x", ["a", "b"]), [false, false]);
  assert.deepEqual(faded(null, ["a", "b"]), [false, false]);
});

test("curves are unpacked as curves.py packs them", () => {
  const numbers = Int16Array.from([-32500, 0, 32500, -32768, 1, 2]);
  const y = Buffer.from(numbers.buffer).toString("base64");
  const lines = decode({ y, rows: 2, start: -1, unit: 1 / 32500 });
  assert.deepEqual(lines.map((line) => line.length), [3, 3]);
  assert.deepEqual([...lines[0]], [-1, 0, 1]);
  assert.ok(Number.isNaN(lines[1][0]));
});
