/** Undo, redo, clear, new points: the buttons beside a chart. They are gestures like any other, in the same order. */

import { make } from "./base.js";

/** @typedef {"undo" | "redo" | "clear" | "new"} Kind  of gesture that a button stands for */

/** @type {Record<Kind, string>} */
const TITLES = {
  undo: "Take the last change back (Ctrl+Z on the chart)",
  redo: "Make it again (Ctrl+Shift+Z on the chart)",
  clear: "Remove all points",
  new: "Draw new points at random",
};

export class Toolbar {
  /** @param {(kind: Kind) => void} pressed */
  constructor(pressed) {
    /** @param {Kind} kind  @param {string} text */
    const button = (kind, text) => {
      const made = make("button", { type: "button", className: "md-button", title: TITLES[kind] }, text);
      made.addEventListener("click", () => {
        if (made.getAttribute("aria-disabled") !== "true") pressed(kind);
      });
      return made;
    };
    /** @type {Record<string, HTMLElement>} */
    this.buttons = {
      new: button("new", ""), undo: button("undo", "Undo"), redo: button("redo", "Redo"), clear: button("clear", "Clear"),
    };
    this.element = make("div", { className: "md-toolbar", role: "group", "aria-label": "Points" },
      ...Object.values(this.buttons));
  }

  /**
   * What can't be done now is dimmed, but keeps its place and the focus.
   * @param {{editable: boolean, undo: boolean, redo: boolean, clear: boolean, fresh: string}} now
   *   `fresh` is the label of the button for new points; without one, and without points to clear, there are none of these
   */
  update({ editable, undo, redo, clear, fresh }) {
    this.element.hidden = !editable;
    this.buttons.new.hidden = this.buttons.clear.hidden = !fresh;
    if (this.buttons.new.textContent !== fresh) this.buttons.new.textContent = fresh;
    for (const [name, can] of Object.entries({ undo, redo, clear })) {
      this.buttons[name].setAttribute("aria-disabled", String(!can));
    }
  }
}
