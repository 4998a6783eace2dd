/**
 * Copy link: the address of what the page shows, kept up to date while this is there, and a button that copies it.
 *
 * For tests the host element tells in data-link what would be copied.
 *
 * @typedef {{page: string, shows: string, query: ?string, assets: {style: string}}} Data  `query`: of a link to something else
 */

import { Address, linkTo } from "../kernel/address.js";
import { loadStyle, make, mount, say } from "../kernel/base.js";
import { shared } from "../kernel/shared.js";

const ICON = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M8 12l4-4M7 9L5 11a3 3 0 004 4l2-2m2-2l2-2a3 3 0 00-4-4L9 7" '
  + 'fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></svg>';
const SAID = 2500; // ms for which it says that the link is copied

/** @param {import("../kernel/base.js").Component<Data>} component */
export default function render(component) {
  return mount(component, (host) => new Link(host));
}

class Link {
  /** @type {Data} */ data;
  /** @type {Address} */ address;
  /** @type {() => void} */ unfollow;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ saying;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.button = make("button", { type: "button", className: "md-button md-copy" });
    this.button.innerHTML = `${ICON}<span>Copy link</span>`;
    this.button.addEventListener("click", () => this.#copy());
    this.shows = make("span", { className: "md-shows" });
    this.field = make("input", { className: "md-link", readOnly: true, hidden: true, "aria-label": "The link" });
    this.said = make("span", { className: "md-unseen", role: "status" });
    this.host.replaceChildren(make("div", { className: "md-keep" }, this.button, this.shows, this.field, this.said));
    this.host.style.minHeight = "";
  }

  /** @param {import("../kernel/base.js").Component<Data>} component */
  update(component) {
    this.data = component.data;
    loadStyle(component.root + this.data.assets.style);
    if (!this.address) {
      this.address = new Address(this.data.page);
      this.unfollow = shared(this.data.page).follow(() => this.#show());
    }
    this.#show();
    this.host.dataset.ready = "true";
  }

  #show() {
    const { shows, stands } = shared(this.data.page).values;
    if (!this.saying) say(this.shows, ["It shows ", [this.data.shows || shows, stands].filter(Boolean).join(", "), "."].join(""));
    const link = linkTo(this.data.page, this.data.query);
    this.field.hidden = !this.data.query;
    this.field.value = this.host.dataset.link = link;
  }

  async #copy() {
    this.address.write();
    const link = linkTo(this.data.page, this.data.query);
    try {
      await navigator.clipboard.writeText(link);
      this.#say("Copied.");
    } catch { // no permission, or not a secure page
      this.field.hidden = false;
      this.field.value = link;
      this.field.focus();
      this.field.select();
      this.#say("This browser does not let a page copy: press Ctrl+C.");
    }
  }

  /** @param {string} text */
  #say(text) {
    clearTimeout(this.saying);
    say(this.said, text);
    say(this.shows, text);
    this.saying = setTimeout(() => {
      this.saying = undefined;
      say(this.said, "");
      this.#show();
    }, SAID);
  }

  destroy() {
    clearTimeout(this.saying);
    this.unfollow?.();
    this.address?.destroy();
  }
}
