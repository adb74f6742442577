// Which recipient of a mail merge is shown, and its values.

import { byId, pairs, say } from "./elements.js";
import { count } from "./sizes.js";

export class Recipients {
  /** `onChoose` is told a recipient, counted from 0. */
  constructor(onChoose) {
    this.form = byId("recipients");
    this.field = byId("recipient");
    this.previous = byId("previous");
    this.next = byId("next");
    this.values = byId("values");
    this.at = 0;
    this.of = 1;
    this.onChoose = onChoose;
    this.previous.addEventListener("click", () => this.choose(this.at - 1));
    this.next.addEventListener("click", () => this.choose(this.at + 1));
    this.field.addEventListener("change", () => this.choose(Number(this.field.value) - 1));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose(Number(this.field.value) - 1);
    });
  }

  choose(wanted) {
    const chosen = Math.min(Math.max(Math.trunc(wanted) || 0, 0), this.of - 1);
    this.field.value = chosen + 1;
    if (chosen !== this.at) {
      this.onChoose(chosen);
    }
  }

  show({ recipient, recipients, variables, envelope }) {
    this.at = recipient;
    this.of = recipients;
    this.form.hidden = recipients < 2;
    this.field.max = recipients;
    this.field.value = recipient + 1;
    byId("recipient-count").textContent = `of ${count(recipients)}`;
    // A button that is disabled loses the focus.
    this.previous.setAttribute("aria-disabled", recipient === 0);
    this.next.setAttribute("aria-disabled", recipient === recipients - 1);
    say(byId("recipient-said"), recipients < 2 ? "" : [envelope?.to].flat().join(", "));
    // PowerMTA's own are behind those of the message.
    const isOwn = ([name]) => !name.startsWith("*");
    const named = Object.entries(variables ?? {}).sort((one, other) => isOwn(other) - isOwn(one));
    this.values.hidden = named.length === 0;
    const shown = named.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
    this.values.querySelector("dl").replaceChildren(...pairs(shown));
  }
}
