/**
 * The page's address as a link to what it shows. The server says in what the view differs from the one that the page begins
 * with; where the scrubber stands and which curve is brought forward is known here alone, and is written behind it. Nothing
 * is asked of the server for that, and the browser's history gets no entry of its own.
 */

import { shared } from "./shared.js";

const REST = 300; // ms without a change after which it is written: browsers let a page do so only now and then
const OURS = /^embed(_options)?$/; // what Streamlit reads itself

/** @typedef {import("./shared.js").Shared} Shared */

let here = ""; // the page that was arrived at last

/**
 * Where the scrubber stood and what was in front, by the address, or by what was left here earlier in this visit.
 * @param {string} page
 * @returns {{at: ?number, front: ?string}}
 */
export function arrived(page) {
  here = page;
  const said = new URLSearchParams(location.search);
  const { at, pinned } = shared(page).values;
  const text = said.get("at") ?? at ?? "";
  return { at: /^\d{1,9}$/.test(text) ? Number(text) : null, front: said.get("front") ?? pinned ?? null };
}

/**
 * Begin at the top of a page, before `arrived`. Whoever comes from another page by a button, such as Play with these weights,
 * would be left as far down as they were there; who has just opened the site may be reading further down already.
 * @param {string} page
 */
export function fromTheTop(page) {
  if (here && here !== page) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

/**
 * The link to what a page shows now, or to that with another query in the view's place.
 * @param {string} page
 * @param {?string} [query]
 */
export function linkTo(page, query) {
  return location.origin + location.pathname + search(page, query ?? shared(page).values.address);
}

/**
 * What stands behind an address: these queries, what is known here alone, and what Streamlit reads itself.
 * @param {string} page
 * @param {(string | undefined)[]} queries
 */
function search(page, ...queries) {
  const { at, pinned } = shared(page).values;
  const more = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => OURS.test(name)));
  if (at) more.set("at", at);
  if (pinned) more.set("front", pinned);
  const text = [...queries, more.toString()].filter(Boolean).join("&");
  return text && `?${text}`;
}

/** Keeps the page's address a link to what it shows. */
export class Address {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;

  /** @param {string} page */
  constructor(page) {
    this.page = page;
    this.place = shared(page);
    this.path = location.pathname;
    this.unfollow = this.place.follow((news) => {
      if ("address" in news || "at" in news || "pinned" in news || "aside" in news) this.#soon();
    });
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), REST);
  }

  /** Write it now; not if the visitor has gone to another page by now. */
  write() {
    clearTimeout(this.timer);
    if (this.place.values.address === undefined || location.pathname !== this.path) return;
    const { address, aside } = this.place.values;
    const said = search(this.page, address, aside);
    if (location.search === said) return;
    history.replaceState(history.state, "", this.path + said + location.hash);
  }

  destroy() {
    this.write();
    this.unfollow();
  }
}
