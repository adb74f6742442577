// The problems of a message as a list; those with a line lead there.

import { byId, element, say } from "./elements.js";
import { plural } from "./sizes.js";

export class Problems {
  constructor(editor) {
    this.editor = editor;
    this.verdict = byId("verdict");
    this.list = byId("problem-list");
  }

  none(sentence) {
    this.show([], sentence, "good");
  }

  /** In the order of their lines; those without one are of the whole. */
  show(found, sentence = plural(found.length, "problem"), kind = "bad") {
    const problems = found.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
    say(this.verdict, sentence);
    this.verdict.dataset.kind = kind;
    this.list.hidden = problems.length === 0;
    this.list.replaceChildren(...problems.map((problem) => this.item(problem)));
    this.editor.mark(problems);
  }

  /** While nothing is known: what was found stays to be read, its marks do not. */
  unknown() {
    this.verdict.dataset.kind = "unknown";
  }

  item({ line, column, pointer, detail }) {
    const where = (pointer ?? "").replace(/^#/, "");
    const place = line
      ? element("button", { type: "button", class: "plain", click: () => this.editor.goTo(line, column) }, `Line ${line}`)
      : null;
    return element("li", {}, place, place && " ", detail, where && " ", where && element("code", {}, where));
  }
}
