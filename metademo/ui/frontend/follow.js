/** Lets a page's controls follow its chart: asks the server for them when the hand at the chart has come to rest. */

import { mount } from "./base.js";

export default function render(component) {
  return mount(component, () => new Follow());
}

class Follow {
  constructor() {
    this.heard = 0;
    this.listen = (event) => {
      if (event.detail === this.component.data.page) this.component.setStateValue("heard", (this.heard += 1));
    };
    window.addEventListener("metademo-rest", this.listen);
  }

  update(component) {
    this.component = component;
    const box = component.parentElement.closest(".stElementContainer");
    if (box) box.style.display = "none";
  }

  destroy() { window.removeEventListener("metademo-rest", this.listen); }
}
