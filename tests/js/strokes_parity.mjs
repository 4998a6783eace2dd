/** Carries out the histories of test_signs.py (JSON on stdin) as the browser does; answers on stdout. */

import { readFileSync } from "node:fs";
import { carriedOut } from "../../metademo/ui/components/draw/strokes.js";

function answer({ signs, question, most, ready, gestures }) {
  return gestures.map((_, i) => carriedOut({ signs, question }, gestures.slice(0, i + 1), most, ready));
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
