// The left side's message: what a person writes, pastes, opens or drops, checked as it changes.

import { Check } from "./check.js";
import { Editor } from "./editor.js";
import { byId } from "./elements.js";
import { takeFiles } from "./files.js";
import { formatted, LINES_TYPE, placedInLines, typeOf } from "./format.js";
import { Problems } from "./problems.js";
import { plural } from "./sizes.js";

const DRAFT = "pmtaemail-message";
/** More is not kept over a reload of the page. */
const KEPT_CHARACTERS = 1_000_000;
const EXAMPLE = `{
  "from": "Shop <shop@example.com>",
  "to": "Ann Lee <ann@example.org>",
  "subject": "Hello",
  "text": "Hello Ann",
  "html": "<p>Hello <b>Ann</b></p>"
}
`;

export class Message {
  /** `recipient()` tells which one is wanted; `onView` is told a view, `onProblems` that there is none, and why not. */
  constructor(api, { recipient, onView, onProblems, onOpened }) {
    Object.assign(this, { api, onView, onProblems, onOpened });
    /** The octets of a file that was opened, until its text is changed, and what they are. */
    this.opened = null;
    /** Whether it is known to have problems, so that what is shown of it is from before. */
    this.isFaulty = false;
    this.editor = new Editor(byId("editor"), () => this.edited());
    this.problems = new Problems(this.editor);
    this.check = new Check({
      ask: (signal) => this.view(recipient(), signal),
      onView: (view) => this.viewed(view),
      onFailure: (error) => this.failed(error),
    });
    byId("format").addEventListener("click", () => this.format());
    takeFiles((file) => this.open(file));
  }

  /** Begins with a text of the command line, or what was here before a reload, or an example. */
  begin(file) {
    const kept = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
    const text = kept !== null && kept.file === file ? kept.text : (file ?? EXAMPLE);
    this.file = file;
    // Somebody may have been quicker.
    if (this.editor.value === "") {
      this.editor.value = text;
      this.check.now();
    }
  }

  edited() {
    this.opened = null;
    this.keep();
    this.problems.unknown();
    this.check.soon();
  }

  keep() {
    const text = this.editor.value;
    if (text.length > KEPT_CHARACTERS) {
      sessionStorage.removeItem(DRAFT);
    } else {
      sessionStorage.setItem(DRAFT, JSON.stringify({ file: this.file, text }));
    }
  }

  async open(file) {
    const octets = new Uint8Array(await file.arrayBuffer());
    const text = new TextDecoder().decode(octets);
    this.editor.value = text;
    // A text area knows one line end, and a mail may have octets that are no UTF-8.
    this.opened = { body: octets, type: typeOf(text, file.name) };
    this.keep();
    this.onOpened();
    this.check.now();
  }

  format() {
    const text = formatted(this.editor.value);
    if (text === null) {
      this.problems.show([], "Only JSON can be formatted, and this is not JSON.", "bad");
    } else if (text !== this.editor.value) {
      this.editor.replace(text);
    }
  }

  /** What is sent, and its media type. */
  get sent() {
    const text = this.editor.value;
    return this.opened ?? { body: text, type: typeOf(text) };
  }

  /** The view of the message as it is now. */
  async view(recipient, signal) {
    const { body, type } = this.sent;
    try {
      return await this.api.viewOf(body, type, recipient, signal);
    } catch (error) {
      // The list of recipients may have become shorter.
      if (error.status !== 404 || recipient === 0) {
        throw error;
      }
      return this.api.viewOf(body, type, 0, signal);
    }
  }

  viewed(view) {
    const { recipients } = view;
    this.isFaulty = false;
    this.problems.none(recipients > 1 ? `No problems. A mail merge for ${plural(recipients, "recipient")}.` : "No problems.");
    this.onView(view);
  }

  failed(error) {
    const { problems } = error;
    this.isFaulty = true;
    if (problems?.length > 0) {
      const isLines = this.sent.type === LINES_TYPE;
      this.problems.show(isLines ? placedInLines(this.editor.value, problems) : problems);
    } else {
      this.problems.show([], error.message, "bad");
    }
    this.onProblems();
  }
}
