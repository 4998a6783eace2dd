/**
 * Says what something is when it is asked: by pointing at it, by a tap, or by a key. Whatever has an attribute
 * `data-about` is asked; there is one bubble for all of them. It can be pointed at itself, and Escape closes it.
 */

import { make } from "./base.js";

const PAUSE = 150; // ms from pointing to the bubble, and from leaving to its end
const GAP = 8; // pixels between the two

/** @type {?HTMLElement} */
let bubble = null;
/** @type {?Element} */
let asked = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Have an element say what it is.
 * @template {HTMLElement} E
 * @param {E} element  a button, or something that can then be focused
 * @param {string} about
 * @returns {E}
 */
export function explained(element, about) {
  listen();
  element.tabIndex = about || element.matches("[aria-pressed]") ? 0 : -1;
  if (!about) {
    delete element.dataset.about;
    return element;
  }
  if (element.dataset.about !== about) element.dataset.about = about;
  if (element === asked) show(element);
  return element;
}

/**
 * Write a sentence whose numbers say how they were computed.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {[shown: string, about: string][]} facts  the numbers in it, in turn
 */
export function tell(element, text, facts) {
  const key = JSON.stringify([text, facts]);
  if (element.dataset.told === key) return;
  element.dataset.told = key;
  if (asked && element.contains(asked)) hide(); // it goes away, and whoever asked about it is not told that
  /** @type {(Node|string)[]} */
  const parts = [];
  let place = 0;
  for (const [shown, about] of facts) {
    const at = text.indexOf(shown, place);
    if (at < 0) continue;
    const number = make("button", { type: "button", className: "md-fact" }, shown);
    // A line may end beside a button: its brackets, and the stop behind it, stay with it.
    const [, before, open] = /** @type {RegExpMatchArray} */ (text.slice(place, at).match(/^(.*?)([(“]*)$/s));
    const [close] = /** @type {RegExpMatchArray} */ (text.slice(at + shown.length).match(/^[)”.,;:?!]*/));
    parts.push(before, make("span", { className: "md-close" }, open, explained(number, about), close));
    place = at + shown.length + close.length;
  }
  element.replaceChildren(...parts, text.slice(place));
}

function listen() {
  if (bubble) return;
  bubble = make("div", { className: "md-about", id: "md-about", role: "tooltip", hidden: true });
  document.body.append(bubble);
  const of = (/** @type {Event} */ event) => /** @type {Element} */ (event.target).closest?.("[data-about], .md-about");
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const found = of(event);
    later(() => { if (found !== bubble) found ? show(found) : hide(); }, found === bubble ? 0 : PAUSE);
  });
  document.addEventListener("focusin", (event) => {
    const found = of(event);
    if (found && /** @type {Element} */ (event.target).matches(":focus-visible")) show(found);
  });
  document.addEventListener("focusout", () => later(hide, 0));
  document.addEventListener("click", (event) => {
    const found = of(event);
    if (found === bubble) return;
    if (found && found !== asked) show(found);
    else if (/** @type {PointerEvent} */ (event).pointerType === "touch") hide();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("scroll", hide, { capture: true, passive: true });
}

/** @param {() => void} act  @param {number} pause */
function later(act, pause) {
  clearTimeout(timer);
  timer = setTimeout(act, pause);
}

/** @param {Element} element */
function show(element) {
  clearTimeout(timer);
  if (!bubble) return;
  if (asked !== element) hide();
  asked = element;
  element.setAttribute("aria-describedby", bubble.id);
  bubble.textContent = element.getAttribute("data-about");
  bubble.hidden = false;
  const box = element.getBoundingClientRect();
  const { width, height } = bubble.getBoundingClientRect();
  const left = Math.max(GAP, Math.min(box.left + box.width / 2 - width / 2, innerWidth - width - GAP));
  const above = box.top - height - GAP;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${above >= GAP ? above : box.bottom + GAP}px`;
}

function hide() {
  clearTimeout(timer);
  asked?.removeAttribute("aria-describedby");
  asked = null;
  if (bubble) bubble.hidden = true;
}
