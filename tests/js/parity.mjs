/** Carries out the histories of test_gestures_parity.py (JSON on stdin) as the browser does; answers on stdout. */

import { readFileSync } from "node:fs";
import { Gestures, carriedOut, find } from "../../metademo/ui/components/kernel/gestures.js";

function answer({ points, example, maxPoints, gestures, at }) {
  const messages = [];
  const visit = new Gestures((message) => messages.push(message));
  for (const gesture of gestures) visit.add(gesture);
  visit.add({ kind: "value", value: 1, final: true }); // a final one takes with it what still waits
  const before = { points, example };
  return {
    each: gestures.map((_, i) => carriedOut(before, gestures.slice(0, i + 1), maxPoints)),
    shown: carriedOut(before, visit.pending, maxPoints),
    found: find(points, at),
    messages,
  };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
