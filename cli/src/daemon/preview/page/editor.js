// A text area with line numbers, and the problems of its lines shown where they are.

import { element } from "./elements.js";

/** Beyond it the copy of a line that a problem is shown behind would cost more than it shows. */
const LONGEST_COPY = 300;

export class Editor {
  constructor(root, onChange) {
    this.text = root.querySelector("textarea");
    this.gutter = root.querySelector(".gutter");
    this.numbers = root.querySelector(".numbers");
    this.marks = root.querySelector(".marks");
    this.lines = 0;
    this.text.addEventListener("input", () => {
      this.changed();
      onChange();
    });
    this.text.addEventListener("scroll", () => this.follow(), { passive: true });
    this.changed();
  }

  get value() {
    return this.text.value;
  }

  set value(value) {
    this.text.value = value;
    this.text.setSelectionRange(0, 0);
    this.text.scrollTo(0, 0);
    this.changed();
  }

  /** Puts another text in place, which a person can undo. */
  replace(value) {
    this.text.focus();
    this.text.select();
    // The one way that keeps what can be undone.
    if (!document.execCommand("insertText", false, value)) {
      this.value = value;
      this.text.dispatchEvent(new Event("input"));
    }
  }

  changed() {
    const lines = (this.text.value.match(/\n/g)?.length ?? 0) + 1;
    if (lines !== this.lines) {
      this.lines = lines;
      this.numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
    }
    this.mark([]);
  }

  /** Shows problems at their lines; with an empty list, none. */
  mark(problems) {
    const placed = new Map();
    for (const { line, detail } of problems.filter(({ line }) => line >= 1 && line <= this.lines)) {
      placed.set(line, [...(placed.get(line) ?? []), detail]);
    }
    const lines = placed.size > 0 ? this.text.value.split("\n") : [];
    const marks = [...placed].map(([line, details]) =>
      this.at(
        line,
        element(
          "div",
          { class: "mark" },
          element("span", { class: "copy" }, lines[line - 1].slice(0, LONGEST_COPY)),
          element("span", { class: "said" }, details.join(" ")),
        ),
      ),
    );
    const signs = [...placed.keys()].map((line) => this.at(line, element("span", { class: "sign" }, `${line}`)));
    // The room that the text scrolls in.
    const room = element("div", { class: "room" });
    room.style.height = `calc(${this.lines} * var(--line-height) + 4rem)`;
    this.marks.replaceChildren(room, ...marks);
    this.gutter.replaceChildren(this.numbers, ...signs);
    this.text.setAttribute("aria-invalid", problems.length > 0);
    this.follow();
  }

  at(line, made) {
    made.style.setProperty("--line", line - 1);
    return made;
  }

  follow() {
    this.gutter.scrollTop = this.text.scrollTop;
    this.marks.scrollTop = this.text.scrollTop;
    // What is said of a line stays in sight.
    this.marks.style.setProperty("--scrolled", `${-this.text.scrollLeft}px`);
  }

  /** Takes a person to a place: a line and a column, both from 1, columns in characters. */
  goTo(line, column = 1) {
    const lines = this.text.value.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const within = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
    this.text.focus();
    this.text.setSelectionRange(before + within, before + within);
    const height = this.text.scrollHeight / Math.max(this.lines, 1);
    this.text.scrollTop = Math.max(0, (line - 1) * height - this.text.clientHeight / 2);
  }
}
