/**
 * Lets the rest of a page follow its chart: asks the server for it when the hand at the chart has come to rest.
 *
 * @typedef {import("../kernel/base.js").Component<{page: string}>} Component
 *
 * For tests the host element tells in data-rested the last gesture of which the server has heard in this way.
 */

import { mount } from "../kernel/base.js";
import { sendAlone } from "../kernel/messages.js";
import { shared } from "../kernel/shared.js";

/** @param {Component} component */
export default function render(component) {
  return mount(component, (host) => new Follow(host));
}

class Follow {
  /** @type {Component} */ component;
  /** @type {() => void} */ unfollow;
  /** @type {number | undefined} */ before;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.heard = Date.now(); // no question is like one of an earlier visit to the page
  }

  /** @param {Component} component */
  update(component) {
    this.component = component;
    const place = shared(component.data.page);
    this.before ??= place.values.rested;
    this.unfollow ??= place.follow(({ rested }) => this.#follow(rested));
  }

  /** @param {number | undefined} rested */
  #follow(rested) {
    if (rested === undefined || rested === this.before) return;
    this.before = rested;
    sendAlone(() => {
      this.component.setStateValue("heard", (this.heard += 1));
      this.host.dataset.rested = String(rested);
    });
  }

  destroy() { this.unfollow?.(); }
}
