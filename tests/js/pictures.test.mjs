/** Pictures to keep: what stands in them, and what stands around it. */

import assert from "node:assert/strict";
import test from "node:test";
import { linkTo } from "../../metademo/ui/components/kernel/address.js";
import { escaped, figure, lines, offer, picture } from "../../metademo/ui/components/kernel/pictures.js";
import { shared } from "../../metademo/ui/components/kernel/shared.js";

const theme = { background: "rgb(1,2,3)", text: "rgb(4,5,6)", font: "Serif", ink: (o) => `ink ${o}` };
const about = { title: "MAML on 2 points", citation: "A & B: *C*", link: "https://x.org/?points=1,2&steps=3" };

function shown(changes = {}) {
  const element = { data: [{ y: [1, 2], line: { color: "red" } }, { y: [3, 4] }], layout: { font: { color: "black" }, xaxis: { range: [0, 1] } } };
  const keys = [{ name: "the <true> wave", visible: true }, { name: "hidden", visible: false }];
  return { plot: { element, Plotly: {} }, theme, keys, points: [[0.5, 1]], pointsLabel: "your points", when: "after 3 steps", ...changes };
}

test("a picture holds the figure on the page, and the points", () => {
  const { data, layout } = figure(shown(), about);
  assert.deepEqual(data.map((trace) => [trace.name.trim(), trace.showlegend ?? true]),
    [["the &lt;true&gt; wave", true], ["hidden", false], ["your points", true]]);
  assert.deepEqual(data[0].line, { color: "red" });
  assert.deepEqual([data[2].x, data[2].y], [[0.5], [1]]);
  assert.deepEqual(layout.xaxis, { range: [0, 1] });
  assert.equal(layout.paper_bgcolor, theme.background);
  assert.equal(layout.font.color, "black");
});

test("without points there are none in it", () => {
  assert.equal(figure(shown({ points: [] }), about).data.length, 2);
});

test("it says what it is, at which step, where the method is from and where the page is", () => {
  const { layout } = figure(shown(), about);
  assert.equal(layout.title.text, "MAML on 2 points, after 3 steps");
  const [print] = layout.annotations;
  assert.equal(print.text,
    'A &amp; B: *C*<br><a href="https://x.org/?points=1,2&amp;steps=3">https://x.org/?points=1,2&amp;steps=3</a>');
});

test("a long title has room, too", () => {
  const size = (title) => figure(shown(), { ...about, title }).layout.title.font.size;
  assert.equal(size("MAML on 2 points"), 20);
  const long = "seven learners and ".repeat(8);
  assert.ok(size(long) * 0.5 * `${long}, after 3 steps`.length < 1000, "letters are half as wide as high");
});

test("a long link has lines of its own, and the picture has room for them", () => {
  const link = `https://x.org/?points=${"1.234567,".repeat(200)}`;
  const one = figure(shown(), about).layout.height;
  const many = figure(shown(), { ...about, link });
  assert.equal(many.layout.height - one, 15 * (Math.ceil(link.length / 150) - 1));
  assert.equal(lines(link).join(""), link);
  assert.ok(lines(link).every((line) => line.length <= 150));
});

test("lines break between words", () => {
  const text = "seven letters ".repeat(40).trim();
  assert.equal(lines(text).join(" "), text);
  assert.ok(lines(text).every((line) => line.length <= 150));
  assert.deepEqual(lines(""), []);
});

test("what is no markup is shown as it is", () => {
  assert.equal(escaped('<b>"&"</b>'), "&lt;b&gt;&quot;&amp;&quot;&lt;/b&gt;");
});

test("a chart that is gone offers nothing, and does not take back what another offers", async () => {
  const asked = [];
  const plot = { ...shown().plot, Plotly: { toImage: async (made, options) => { asked.push(options); return "data:"; } } };
  assert.equal(await picture("maml", about, "svg"), null);
  const withdraw = offer("maml", () => shown({ plot }));
  const again = offer("maml", () => shown({ plot }));
  withdraw();
  assert.equal(await picture("maml", about, "png"), "data:");
  assert.deepEqual([asked[0].format, asked[0].scale, asked[0].width], ["png", 2, 1000]);
  again();
  assert.equal(await picture("maml", about, "png"), null);
});

test("a link for others leaves out what is this visitor's alone", () => {
  const here = { origin: "https://x.org", pathname: "/train", search: "?run=secret&run=other&embed=true" };
  Object.assign(globalThis, { location: here });
  const place = shared("train");
  place.set({ address: "", aside: "run=secret&run=other" });
  assert.equal(linkTo("train"), "https://x.org/train?embed=true");
  here.search = "?seed=3&run=secret";
  place.set({ address: "seed=3", at: "400" });
  assert.equal(linkTo("train"), "https://x.org/train?seed=3&at=400");
  assert.equal(linkTo("train", "seed=4&lock=1"), "https://x.org/train?seed=4&lock=1&at=400");
  place.set({ address: "", at: "" });
  assert.equal(linkTo("train"), "https://x.org/train");
});
