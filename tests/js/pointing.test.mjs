/** How near is on a point, and which click is the second of two. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clicks, drags, inReach } from "../../metademo/ui/components/chart/pointing.js";

test("the nearest point in reach is found; a finger reaches further than a mouse", () => {
  const places = [[0, 0], [15, 0], [100, 100]];
  assert.equal(inReach(places, 9, 0, "mouse"), 1);
  assert.equal(inReach(places, 3, 0, "mouse"), 0);
  assert.equal(inReach(places, 30, 0, "mouse"), -1);
  assert.equal(inReach(places, 30, 0, "touch"), 1);
  assert.equal(inReach([], 0, 0, "touch"), -1);
});

test("a pointer of an unknown kind is taken for a mouse", () => {
  assert.equal(inReach([[0, 0]], 12, 0, ""), -1);
  assert.ok(drags(5, "") && drags(5, "mouse") && !drags(5, "touch"));
});

test("a second click at once and at the same place is half of a double click", (t) => {
  const now = t.mock.method(performance, "now", () => 1000);
  const clicks = new Clicks();
  assert.equal(clicks.second(10, 10), false);
  assert.equal(clicks.second(30, 10), false);
  assert.equal(clicks.second(31, 10), true);
  now.mock.mockImplementation(() => 1400);
  assert.equal(clicks.second(31, 10), false);
});
