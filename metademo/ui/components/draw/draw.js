/**
 * Signs to draw, and a drawing of one of them that learners are asked about. Python (draw.py beside it) sends the data.
 *
 * @typedef {import("./strokes.js").Drawn} Drawn
 * @typedef {import("./strokes.js").Place} Place
 * @typedef {import("./answers.js").Answer} Answer
 * @typedef {import("./strokes.js").ReadyMade} ReadyMade
 * @typedef {{ack: number, visit: string, session: string, view: string, page: string, undo: boolean, redo: boolean,
 *   editable: boolean, signs: string[][], question: string, seen: {signs: string[][], question: string}, ways: number[],
 *   answers: Answer[], steps: number, stands: string[], captions: string[], details: string[],
 *   captionFacts: import("../kernel/base.js").Facts[], detailFacts: import("../kernel/base.js").Facts[],
 *   ready: ReadyMade[], most: import("./strokes.js").Most, assets: import("../kernel/base.js").Assets}} Data
 * @typedef {import("../kernel/base.js").Component<Data>} Component
 *
 * A stroke is sent while it is drawn, now and then, and when the pen is lifted; see gestures.js for what keeps the order.
 *
 * The host element tells what is drawn: data-ready, data-version, data-drawn, data-signs, data-question, data-step,
 * data-settled (whether the server has answered all that was done).
 */

import { loadPlotly, loadStyle, make, mount, readTheme, say, set, svg, uniqueId } from "../kernel/base.js";
import { arrived, fromTheTop } from "../kernel/address.js";
import { Caption } from "../kernel/caption.js";
import { Conversation } from "../kernel/conversation.js";
import { followPaper } from "../kernel/paper.js";
import { offer } from "../kernel/pictures.js";
import { Scrubber } from "../kernel/scrubber.js";
import { shared } from "../kernel/shared.js";
import { mark } from "../kernel/stage.js";
import { Toolbar } from "../kernel/toolbar.js";
import { barsOf } from "./bars.js";
import { Pad } from "./pad.js";
import { Row } from "./row.js";
import { Seen } from "../kernel/seen.js";
import { QUESTION, beneath, carriedOut, drawingAt, hasRoom, isReadyMade, pathOf, strokesOf } from "./strokes.js";

const KEYS = "Draw with the mouse, a finger or a pen. Keys 1 to 9 put a ready-made sign here, Delete clears it, "
  + "Enter leads to what else can be done with it, Control and Z takes the last change back.";

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Draw(host));
}

class Draw {
  // From the first data on; the second half from when it is built.
  /** @type {Component} */ component;
  /** @type {Data} */ data;
  /** @type {import("../kernel/base.js").Theme} */ theme;
  /** @type {Promise<void>} */ starting;
  /** @type {Drawn} */ drawn;
  /** @type {Toolbar} */ toolbar;
  /** @type {HTMLElement} */ more;
  /** @type {HTMLElement} */ help;
  /** @type {HTMLElement} */ spoken;
  /** @type {HTMLElement} */ asked;
  /** @type {HTMLElement} */ known;
  /** @type {HTMLElement} */ list;
  /** @type {HTMLElement} */ bench;
  /** @type {HTMLElement} */ benchName;
  /** @type {HTMLElement} */ palette;
  /** @type {Record<"clear" | "example" | "remove", HTMLElement>} */ tools;
  /** @type {Pad} */ question;
  /** @type {Seen} */ seen;
  /** @type {Scrubber} */ scrubber;
  /** @type {Caption} */ caption;
  /** @type {() => void} */ leavePaper;
  /** @type {(() => void) | undefined} */ withdraw;
  /** @type {Row[]} */ rows = [];
  /** @type {Place} */ chosen = [QUESTION, 0]; // where the palette and the keys go
  /** @type {ReturnType<typeof setTimeout> | undefined} */ looking;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.conversation = new Conversation((message) => this.component.setStateValue("edit", message));
    this.times = 0;
  }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    if (!this.conversation.take(component.data)) return;
    this.data = component.data;
    this.starting ??= loadStyle(component.root + this.data.assets.style).then(() => {
      this.#build();
      this.#take();
      this.#arrive();
    });
    if (this.list) this.#take();
  }

  #build() {
    this.toolbar = new Toolbar((kind) => this.#do({ kind, final: true }));
    this.more = this.#button("Add a sign", "One more sign, to be told from the others", () => this.#add(this.drawn.signs.length));
    this.toolbar.element.prepend(this.more);
    set(this.toolbar.element, { "aria-label": "Drawings" });
    this.help = make("span", { className: "md-unseen", id: uniqueId("md-keys") }, KEYS);
    this.spoken = make("span", { className: "md-refused md-unseen", "aria-live": "polite" });
    this.question = this.#pad([QUESTION, 0]);
    this.seen = new Seen("What the networks see: 14 × 14 pixels");
    this.list = make("ol", { className: "md-signs" });
    this.#buildBench();
    this.scrubber = new Scrubber((at, playing) => this.#show(at, playing));
    this.caption = new Caption();
    this.asked = make("h2");
    this.known = make("h2");
    this.host.replaceChildren(make("div", { className: "md-chart md-draw-page" },
      make("div", { className: "md-draw" },
        make("section", { className: "md-asked" }, this.asked, this.question.element, this.seen.element),
        make("section", { className: "md-known" },
          make("div", { className: "md-top" }, this.known, this.toolbar.element), this.list)),
      this.bench, this.scrubber.element, this.caption.element, this.help));
    this.host.style.minHeight = "";
    this.leavePaper = followPaper(() => this.#take());
  }

  #buildBench() {
    this.benchName = make("span", { className: "md-bench-name" });
    this.tools = {
      clear: this.#button("Clear", "Wipe it off", () => this.#change("clear", "cleared")),
      example: this.#button("Another example", "One more drawing of the same sign", () => this.#add(this.chosen[0])),
      remove: this.#button("Remove", "Do without it", () => this.#remove()),
    };
    this.palette = make("div", { className: "md-palette", role: "group", "aria-label": "Ready-made signs" });
    this.bench = make("div", { className: "md-bench" }, this.benchName, this.palette,
      make("div", { className: "md-toolbar", role: "group", "aria-label": "This drawing" }, ...Object.values(this.tools)), this.spoken);
  }

  /** @param {string} text  @param {string} title  @param {() => void} pressed */
  #button(text, title, pressed) {
    const button = make("button", { type: "button", className: "md-button", title }, text);
    button.addEventListener("click", () => { if (button.getAttribute("aria-disabled") !== "true") pressed(); });
    return button;
  }

  /** @param {Place} place */
  #pad(place) {
    return new Pad({
      stroked: (text, final) => this.#stroke(place, text, final),
      chosen: () => this.#choose(place),
      key: (key) => this.#key(key),
    }, this.help.id);
  }

  /** Show what the address says beside the view. */
  #arrive() {
    if (!this.data.session) return; // a figure beside a text
    this.withdraw = offer(this.data.page, () => this.#shown());
    fromTheTop(this.data.page);
    const { at } = arrived(this.data.page);
    if (at !== null) this.scrubber.go(at);
  }

  #take() {
    const { data } = this;
    this.theme ??= readTheme(this.host);
    this.scrubber.update({ steps: data.steps, names: data.stands, seconds: 0.9 });
    this.caption.update(data);
    this.#draw();
    this.#show(this.scrubber.at, this.scrubber.playing);
    mark(this.host, { ready: true, version: data.ack, drawn: (this.times += 1) });
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.#followTheme(), 30);
  }

  /** Reading styles takes its time, so it comes after the answer is drawn. */
  #followTheme() {
    const theme = readTheme(this.host);
    if (theme.key === this.theme.key) return;
    this.theme = theme;
    this.#draw();
    this.#show(this.scrubber.at, this.scrubber.playing);
  }

  get #busy() { return this.question.busy || this.rows.some((row) => row.pads.some((pad) => pad.busy)); }

  /** The server's drawings, and on top of them what it has not answered; a stroke that is going on is the pad's. */
  #draw() {
    const { data, conversation, theme } = this;
    this.drawn = carriedOut(data, conversation.gestures.pending, data.most, data.ready);
    const { signs, question } = this.drawn;
    if (drawingAt(this.drawn, this.chosen) === null) this.chosen = [QUESTION, 0];
    this.question.show(question, this.#told([QUESTION, 0]), data.editable, isReadyMade(question, data.ready));
    this.seen.show(data.seen.question, theme);
    while (this.rows.length > signs.length) this.rows.pop()?.destroy();
    while (this.rows.length < signs.length) {
      const sign = this.rows.length;
      this.rows.push(new Row(sign, (example) => this.#pad([sign, example])));
    }
    this.rows.forEach((row, sign) => row.update({
      drawings: signs[sign], labels: signs[sign].map((_, example) => this.#told([sign, example])),
      given: signs[sign].map((drawing) => isReadyMade(drawing, data.ready)), seen: data.seen.signs[sign] ?? [],
      answers: data.answers, place: data.ways.indexOf(sign), editable: data.editable, theme,
    }));
    const rows = this.rows.map((row) => row.element);
    if (rows.length !== this.list.children.length) this.list.replaceChildren(...rows);
    this.#ring();
    this.#drawHeadings();
    this.#drawTools();
    mark(this.host, { signs: JSON.stringify(signs), question, settled: conversation.gestures.settled });
    conversation.rest(this.#busy);
  }

  #drawHeadings() {
    const { data: { editable }, drawn: { signs } } = this;
    say(this.asked, editable ? "Draw one of them here" : "Which of them is it?");
    say(this.known, signs.some((examples) => examples.length > 1) ? "Examples of each" : editable ? "One example of each" : "An example of each");
    this.help.hidden = !editable; // then it is of use to those alone whose pads tell of it
  }

  #drawTools() {
    const { data, drawn, chosen, conversation } = this;
    const waiting = !conversation.gestures.settled;
    this.toolbar.update({ editable: data.editable, undo: data.undo || waiting, redo: data.redo || waiting, clear: false, fresh: "" });
    set(this.more, { "aria-disabled": drawn.signs.length >= data.most.signs });
    this.bench.hidden = !data.editable;
    const [sign] = chosen;
    const of = sign === QUESTION ? 0 : drawn.signs[sign].length;
    say(this.benchName, `${capitalized(this.#name(chosen))}:`);
    set(this.tools.clear, { "aria-disabled": !drawingAt(drawn, chosen) });
    set(this.tools.example, { "aria-disabled": sign === QUESTION || of >= data.most.examples });
    set(this.tools.remove, { "aria-disabled": sign === QUESTION || (of === 1 && drawn.signs.length <= 2) });
    if (!this.palette.children.length) {
      this.palette.append(...data.ready.map(({ name, drawings }, k) => {
        const button = this.#button("", `${capitalized(name)} (key ${k + 1})`, () => this.#put(k));
        button.className = "md-ready";
        button.setAttribute("aria-label", `Put ${withArticle(name)}`);
        button.replaceChildren(svg("svg", { viewBox: "-4 -4 107 107", "aria-hidden": "true" },
          svg("path", { d: pathOf(strokesOf(drawings[0])) })));
        return button;
      }));
    }
  }

  #ring() {
    const [sign, example] = this.chosen;
    this.question.ring(this.data.editable && sign === QUESTION);
    this.rows.forEach((row, i) => row.pads.forEach((pad, k) => pad.ring(this.data.editable && i === sign && k === example)));
  }

  /** What a drawing is called. @param {Place} place */
  #name([sign, example]) {
    if (sign === QUESTION) return "the question";
    return `sign ${sign + 1}${this.drawn.signs[sign]?.length > 1 ? `, example ${example + 1}` : ""}`;
  }

  /** A drawing in words. @param {Place} place */
  #told(place) {
    const drawing = drawingAt(this.drawn, place) ?? "";
    const ready = this.data.ready.find(({ drawings }) => drawings.includes(drawing));
    const count = strokesOf(drawing).length;
    const what = ready ? withArticle(ready.name) : count ? `${count} stroke${count === 1 ? "" : "s"}` : "empty";
    return `${capitalized(this.#name(place))}: ${what}`;
  }

  /** Everything that follows the scrubber. @param {number} at  @param {boolean} playing */
  #show(at, playing) {
    const { data } = this;
    const step = Math.round(at);
    for (const row of this.rows) row.answers.show(at);
    this.caption.show(step, playing);
    shared(data.page).set({
      step: at, at: step < data.steps ? String(step) : "", stands: data.steps > 1 ? data.stands[step] ?? `step ${step} of ${data.steps}` : "",
    });
    mark(this.host, { step });
  }

  /** What a picture of the drawings and the answers holds; for nothing else Plotly is loaded. */
  async #shown() {
    const Plotly = await loadPlotly(this.component.root + this.data.assets.plotly, Promise.resolve());
    const step = Math.round(this.scrubber.at);
    const { keys, ...element } = barsOf(this.drawn, this.data.ways, this.data.answers, step, this.theme);
    const after = step ? `after ${step} step${step === 1 ? "" : "s"}` : "before any step";
    const when = this.data.steps ? after : ""; // where nobody takes steps
    return { plot: { element, Plotly }, theme: this.theme, keys, points: [], pointsLabel: "", when };
  }

  // --- what the visitor does -------------------------------------------------------------------------------------

  /** Shown at once, and sent. @param {Omit<import("../kernel/gestures.js").Gesture, "seq">} gesture */
  #do(gesture) {
    if (gesture.text || gesture.kind !== "stroke") this.spoken.classList.add("md-unseen"); // what was refused is over
    this.conversation.gestures.add(gesture);
    this.#draw();
    this.#show(this.scrubber.at, this.scrubber.playing);
  }

  /** @param {Place} place */
  #choose(place) {
    this.chosen = place;
    this.#ring();
    this.#drawTools();
  }

  /** @param {Place} place  @param {string} text  @param {boolean} final */
  #stroke(place, text, final) {
    if (text && !hasRoom(beneath(drawingAt(this.drawn, place) ?? "", this.data.ready), text, this.data.most)) {
      if (final) this.#say("There is no room for one more stroke: clear the drawing, or take something back.", true);
      text = "";
    }
    this.#do({ kind: "stroke", at: place, text, final });
  }

  /** @param {string} kind  @param {string} done */
  #change(kind, done) {
    this.#say(`${capitalized(this.#name(this.chosen))} ${done}.`);
    this.#do({ kind, at: this.chosen, final: true });
  }

  /** A ready-made sign; among the signs its first drawing, and as the question the second. @param {number} k */
  #put(k) {
    const { name, drawings } = this.data.ready[k];
    const other = drawingAt(this.drawn, this.chosen) === drawings[Number(this.chosen[0] === QUESTION)];
    const text = drawings[Number((this.chosen[0] === QUESTION) !== other)];
    this.#say(`${capitalized(this.#name(this.chosen))} is ${withArticle(name)} now.`);
    this.#do({ kind: "draw", at: this.chosen, text, final: true });
  }

  /** Room for another drawing of a sign, or for another sign. @param {number} sign */
  #add(sign) {
    const example = this.drawn.signs[sign]?.length ?? 0;
    this.#do({ kind: "add", to: [sign, example], final: true });
    this.rows[sign]?.pads[example]?.element.focus();
  }

  #remove() {
    this.#change("remove", "removed");
    this.question.element.focus({ preventScroll: true });
  }

  /** @param {string} key  @returns {boolean} whether it meant something */
  #key(key) {
    const ready = this.data.ready["123456789".indexOf(key)];
    if (ready && key.length === 1) this.#put(this.data.ready.indexOf(ready));
    else if (key === "Delete" || key === "Backspace") this.#change("clear", "cleared");
    // By Tab alone one would come there from the last drawing only.
    else if (key === "Enter") /** @type {HTMLElement} */ (this.palette.firstElementChild).focus();
    else if (key === "Ctrl+z") this.#do({ kind: "undo", final: true });
    else if (key === "Shift+Ctrl+z" || key === "Ctrl+y") this.#do({ kind: "redo", final: true });
    else return false;
    return true;
  }

  /** What is no news to the eye is for those who hear it. @param {string} text  @param {boolean} [seen] */
  #say(text, seen = false) {
    say(this.spoken, text);
    this.spoken.classList.toggle("md-unseen", !seen);
  }

  destroy() {
    clearTimeout(this.looking);
    this.leavePaper?.();
    this.withdraw?.();
    this.scrubber?.stop();
    this.question?.destroy();
    for (const row of this.rows) row.destroy();
    this.conversation.destroy();
  }
}

/** @param {string} text */
const capitalized = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {string} name */
const withArticle = (name) => `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
