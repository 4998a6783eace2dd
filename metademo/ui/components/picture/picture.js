/**
 * Two buttons that keep the chart of a page as a picture, with a title, a link and where the method is from in it.
 *
 * For tests the host element tells in data-saved how many pictures were handed over.
 *
 * @typedef {{page: string, title: string, citation: string, file: string, assets: {style: string}}} Data
 *   `file`: its name, without the ending
 */

import { linkTo } from "../kernel/address.js";
import { loadStyle, make, mount, say } from "../kernel/base.js";
import { picture } from "../kernel/pictures.js";
import { mark } from "../kernel/stage.js";

/** @param {import("../kernel/base.js").Component<Data>} component */
export default function render(component) {
  return mount(component, (host) => new Picture(host));
}

class Picture {
  /** @type {Data} */ data;
  saved = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.fault = make("span", { className: "md-small", role: "status" });
    host.replaceChildren(make("div", { className: "md-picture", role: "group", "aria-label": "The chart as a picture" },
      this.#button("png", "Picture (PNG)"), this.#button("svg", "Picture (SVG)"), this.fault));
    host.style.minHeight = "";
  }

  /** @param {import("../kernel/base.js").Component<Data>} component */
  update(component) {
    this.data = component.data;
    loadStyle(component.root + this.data.assets.style);
    mark(this.host, { ready: true });
  }

  /** @param {import("../kernel/pictures.js").Format} format  @param {string} label */
  #button(format, label) {
    const button = make("button", { type: "button", className: "md-button" }, label);
    button.addEventListener("click", () => this.#save(format));
    return button;
  }

  /** @param {import("../kernel/pictures.js").Format} format */
  async #save(format) {
    const { page, title, citation, file } = this.data;
    try {
      const address = await picture(page, { title, citation, link: linkTo(page) }, format);
      say(this.fault, address ? "" : "There is no chart to keep yet.");
      if (!address) return;
      make("a", { href: address, download: `${file}.${format}` }).click();
      mark(this.host, { saved: (this.saved += 1) });
    } catch (error) {
      console.warn("metademo:", error);
      say(this.fault, "The picture could not be drawn.");
    }
  }

  destroy() {}
}
