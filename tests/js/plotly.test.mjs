/** Plotly.js as we serve it is the published package, byte for byte. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

test("what we serve is what was published", () => {
  const published = readFileSync(createRequire(import.meta.url).resolve("plotly.js-cartesian-dist-min"));
  const ours = gunzipSync(readFileSync("../../metademo/ui/components/plotly/plotly.min.js.gz"));
  assert.ok(ours.equals(published));
});
