/**
 * What is drawn, as signs.py has it, and what becomes of it by gestures. No page in here.
 *
 * @typedef {[x: number, y: number]} Point  on a square from 0 to SIDE, y downwards
 * @typedef {{signs: string[][], question: string}} Drawn  the drawings of each sign, and the one that is asked about, as text
 * @typedef {[sign: number, example: number]} Place  of a drawing
 * @typedef {{strokes: number, letters: number, signs: number, examples: number}} Most  of what there may be
 * @typedef {{name: string, drawings: [string, string]}} ReadyMade
 * @typedef {import("../kernel/gestures.js").Gesture} Gesture
 */

export const SIDE = 99;
export const QUESTION = -1; // in place of the number of a sign
const LEAST_SIGNS = 2;
const ROUGH = 0.6; // how far a line may lie from where the pen was
const MOST_POINTS = 60; // of one stroke

/** The strokes of a drawing. @param {string} text  @returns {Point[][]} */
export function strokesOf(text) {
  return text.split(".").filter(Boolean).map((stroke) => Array.from({ length: stroke.length / 4 }, (_, k) => (
    [Number(stroke.slice(4 * k, 4 * k + 2)), Number(stroke.slice(4 * k + 2, 4 * k + 4))])));
}

const SHARP = Math.cos(Math.PI / 4); // of the turn at a corner that stays one

/** Strokes as a path that is smooth but at corners; a dot is a line without a length. @param {Point[][]} strokes */
export function pathOf(strokes) { return strokes.map(strokeOf).join(""); }

/** @param {Point[]} points */
function strokeOf(points) {
  const way = points.map((_, k) => wayAt(points, k));
  const lines = points.slice(1).map((point, k) => {
    const [from, out, into] = [points[k], way[k], way[k + 1]];
    const reach = Math.hypot(point[0] - from[0], point[1] - from[1]) / 3;
    const bends = [from.map((v, i) => v + reach * out[i]), point.map((v, i) => v - reach * into[i]), point];
    return `C${bends.map(written).join(" ")}`;
  });
  return `M${written(points[0])}${lines.join("") || `L${written(points[0])}`}`;
}

/** Which way the pen goes at a point, as a vector of length 1; none at an end or a corner. @param {Point[]} points  @param {number} k */
function wayAt(points, k) {
  if (k === 0 || k === points.length - 1) return [0, 0];
  const [before, after] = [unit(points[k - 1], points[k]), unit(points[k], points[k + 1])];
  if (before[0] * after[0] + before[1] * after[1] < SHARP) return [0, 0];
  return unit([0, 0], [before[0] + after[0], before[1] + after[1]]);
}

/** @param {number[]} from  @param {number[]} to */
function unit(from, to) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  return [dx / length, dy / length];
}

/** @param {number[]} place */
const written = (place) => place.map((v) => String(Number(v.toFixed(1)))).join();

/** A stroke as text: simplified, in whole numbers. @param {Point[]} points */
export function textOf(points) {
  let kept = points;
  for (let rough = ROUGH; rough === ROUGH || kept.length > MOST_POINTS; rough *= 1.5) kept = simplified(points, rough);
  const whole = kept.map((point) => point.map((v) => String(Math.min(Math.max(Math.round(v), 0), SIDE)).padStart(2, "0")).join(""));
  return whole.filter((point, k) => point !== whole[k - 1]).join("");
}

/**
 * The points without those that lie nearly on the line of their neighbours (Douglas & Peucker 1973).
 * @param {Point[]} points
 * @param {number} rough  how near
 * @returns {Point[]}
 */
export function simplified(points, rough) {
  const kept = new Set([0, points.length - 1]);
  const open = [[0, points.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part;
    let [furthest, most] = [-1, rough];
    for (let k = from + 1; k < to; k += 1) {
      const away = distance(points[k], points[from], points[to]);
      if (away > most) [furthest, most] = [k, away];
    }
    if (furthest < 0) continue;
    kept.add(furthest);
    open.push([from, furthest], [furthest, to]);
  }
  return points.filter((_, k) => kept.has(k));
}

/** From a point to a line between two others. @param {Point} p  @param {Point} a  @param {Point} b */
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / length, 0), 1) : 0;
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

/** The drawing at a place; null where there is none. @param {Drawn} drawn  @param {Place} place  @returns {?string} */
export function drawingAt({ signs, question }, [sign, example]) {
  if (sign === QUESTION) return example === 0 ? question : null;
  return signs[sign]?.[example] ?? null;
}

/** Whether a drawing has room for one more stroke. @param {string} drawing  @param {string} stroke  @param {Most} most */
export function hasRoom(drawing, stroke, most) {
  return strokesOf(drawing).length < most.strokes && drawing.length + 1 + stroke.length <= most.letters;
}

/** What a stroke comes on top of: what is ready-made gives way to the first. @param {string} drawing  @param {ReadyMade[]} ready */
export function beneath(drawing, ready) { return isReadyMade(drawing, ready) ? "" : drawing; }

/** @param {string} drawing  @param {ReadyMade[]} ready */
export function isReadyMade(drawing, ready) { return ready.some(({ drawings }) => drawings.includes(drawing)); }

/**
 * What is drawn after some gestures. A stroke that is going on is not among it: the pad shows that one. What can't be known
 * here (undo, say) changes nothing until the server answers.
 * @param {Drawn} before
 * @param {Gesture[]} gestures
 * @param {Most} most
 * @param {ReadyMade[]} ready
 * @returns {Drawn}
 */
export function carriedOut(before, gestures, most, ready) {
  return gestures.reduce((drawn, gesture) => after(drawn, gesture, most, ready), before);
}

/** @param {Drawn} drawn  @param {Gesture} gesture  @param {Most} most  @param {ReadyMade[]} ready  @returns {Drawn} */
function after(drawn, { kind, at, to, text = "", final }, most, ready) {
  const drawing = at ? drawingAt(drawn, at) : null;
  if (kind === "add" && to) return withRoom(drawn, to[0], most);
  if (!at || drawing === null) return drawn;
  if (kind === "draw") return redrawn(drawn, at, text);
  if (kind === "clear") return redrawn(drawn, at, "");
  if (kind === "remove") return without(drawn, at);
  const under = beneath(drawing, ready);
  if (kind !== "stroke" || !final || !text || !hasRoom(under, text, most)) return drawn;
  return redrawn(drawn, at, under ? `${under}.${text}` : text);
}

/** @param {Drawn} drawn  @param {Place} place  @param {string} text  @returns {Drawn} */
function redrawn({ signs, question }, [sign, example], text) {
  if (sign === QUESTION) return { signs, question: text };
  return { signs: signs.map((one, i) => (i === sign ? one.map((d, k) => (k === example ? text : d)) : one)), question };
}

/** @param {Drawn} drawn  @param {number} sign  @param {Most} most  @returns {Drawn} */
function withRoom({ signs, question }, sign, most) {
  if (sign === signs.length && sign < most.signs) return { signs: [...signs, [""]], question };
  return { signs: signs.map((one, i) => (i === sign && one.length < most.examples ? [...one, ""] : one)), question };
}

/** @param {Drawn} drawn  @param {Place} place  @returns {Drawn} */
function without({ signs, question }, [sign, example]) {
  if (sign === QUESTION) return { signs, question };
  if (signs[sign].length > 1) {
    return { signs: signs.map((one, i) => (i === sign ? one.filter((_, k) => k !== example) : one)), question };
  }
  return { signs: signs.length > LEAST_SIGNS ? signs.filter((_, i) => i !== sign) : signs, question };
}
