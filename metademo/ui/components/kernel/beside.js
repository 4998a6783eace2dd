/** What stands beside a page's chart: how it starts, follows what the page has in common, and is drawn anew for paper. */

import { loadStyle } from "./base.js";
import { followPaper } from "./paper.js";
import { shared } from "./shared.js";

/**
 * A subclass says what it is made of (`build`), what it does with data (`take`) and with news (`follow`).
 * @template {{page: string, assets: import("./base.js").Assets}} Data
 */
export class Beside {
  // From the first data on.
  /** @type {import("./base.js").Component<Data>} */ component;
  /** @type {Data} */ data;
  /** @type {Promise<void>} */ starting;
  // From when it is built.
  /** @type {(() => void)[]} */ leaves;

  /** @param {HTMLElement} host */
  constructor(host) { this.host = host; }

  /** @param {import("./base.js").Component<Data>} component */
  update(component) {
    this.component = component;
    this.data = component.data;
    this.starting ??= loadStyle(component.root + this.data.assets.style).then(() => this.#start());
    if (this.leaves) this.take();
  }

  #start() {
    this.host.replaceChildren(this.build());
    this.host.style.minHeight = "";
    this.take();
    this.leaves = [shared(this.data.page).follow((news) => this.follow(news)), followPaper(() => this.take())];
  }

  /** Its element. @returns {HTMLElement} */
  build() { throw new Error("a subclass says what it is made of"); }

  /** Draw new data, or the same in another theme. */
  take() {}

  /** @param {import("./shared.js").Values} _news */
  follow(_news) {}

  destroy() { this.leaves?.forEach((leave) => leave()); }
}
