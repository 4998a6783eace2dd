/** Drawings and answers as one figure. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf } from "../../metademo/ui/components/draw/bars.js";
import { PLOT } from "../../metademo/ui/components/kernel/pictures.js";

const theme = { text: "rgb(1,1,1)", ink: (o) => `ink ${o}`, pick: ([light]) => light };
const drawn = { signs: [["00009999"], [""], ["00009999", "99000099.50505050"]], question: "10109090" };
const anil = { label: "ANIL", color: ["red", "pink"], dash: "", about: "", shares: [[0.5, 0.5], [0.25, 0.75], [0.001, 0.999]] };
const protonet = { label: "Prototypical network", color: ["blue", "navy"], dash: "", about: "", shares: [[0.9, 0.1]] };

const at = (step) => barsOf(drawn, [0, 2], [anil, protonet], step, theme);

test("each learner has a bar below each sign that is drawn, at the step that is shown", () => {
  const { data, keys } = at(1);
  const bars = data.filter(({ type }) => type === "bar");
  assert.deepEqual(bars.map(({ x, y, name }) => [x, y, name]),
    [[[1, 3], [0.25, 0.75], "ANIL"], [[1, 3], [0.9, 0.1], "Prototypical network"]]);
  assert.deepEqual(bars[0].text, ["25 %", "75 %"]);
  assert.deepEqual(at(2).data[0].text, ["<1 %", ">99 %"]);
  assert.equal(keys.length, data.length);
  assert.deepEqual(keys.map(({ visible }) => visible), [true, true, false]);
});

test("where bars are narrow, their numbers stand upright", () => {
  assert.equal(at(1).data[0].textangle, 0);
  const many = barsOf(drawn, [0, 2], Array(6).fill(anil), 1, theme);
  assert.equal(many.data[0].textangle, -90);
});

test("every drawing stands in its column, and none over another", () => {
  const { layout } = at(0);
  const frames = layout.shapes.filter(({ type }) => type === "rect");
  assert.equal(frames.length, 5);
  assert.equal(layout.shapes.filter(({ type }) => type === "path").length, 4, "of an empty one there is the frame alone");
  const column = PLOT.width / 4;
  assert.deepEqual(frames.map(({ x0, x1 }) => Math.floor((x0 + x1) / 2 / column)), [0, 1, 2, 3, 3]);
  frames.slice(1).forEach(({ x0 }, i) => assert.ok(x0 > frames[i].x1));
  for (const { x0, x1, y0, y1 } of frames) {
    assert.ok(Math.abs((x1 - x0) - (y1 - y0)) < 1e-9, "square");
    assert.ok(x0 >= 0 && x1 <= PLOT.width && y0 >= 0 && y1 <= layout.yaxis2.range[0]);
  }
});
