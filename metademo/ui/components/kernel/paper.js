/**
 * Printing. Before the browser lays the page out on paper, the page takes the width of a sheet and light colours
 * (`page.css` and `style.css` say how, under .md-paper), and the charts are drawn anew for it; afterwards all goes back.
 */

const PAPER = "md-paper";

/** @type {Set<() => void>} */
const followers = new Set();

/** Whether the page is being printed. */
export function onPaper() { return document.documentElement.classList.contains(PAPER); }

/**
 * Call `redraw` when the page has turned into paper, and when it has turned back.
 * @param {() => void} redraw
 * @returns {() => void} ends it
 */
export function followPaper(redraw) {
  followers.add(redraw);
  return () => followers.delete(redraw);
}

/** @param {boolean} on */
function turn(on) {
  const { classList } = document.documentElement;
  const app = document.querySelector(".stApp");
  if (on && app) classList.toggle("md-was-dark", getComputedStyle(app).colorScheme === "dark");
  classList.toggle(PAPER, on);
  for (const redraw of [...followers]) redraw();
}

addEventListener("beforeprint", () => turn(true));
addEventListener("afterprint", () => turn(false));
