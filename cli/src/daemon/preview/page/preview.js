// Begins with this file: it makes the two sides of the page, and tells each what the other wants shown.

import { Api } from "./api.js";
import { unreachable } from "./check.js";
import { byId, say } from "./elements.js";
import { Keys } from "./key.js";
import { Mail } from "./mail.js";
import { Message } from "./message.js";
import { Outbox } from "./outbox.js";
import { Tabs } from "./tabs.js";

const MESSAGE = "message";
const placeOf = (file) => `outbox/${encodeURIComponent(file)}`;

/** The file that a place names, if it does. */
function fileOf(name) {
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    return null;
  }
}

class Page {
  constructor() {
    this.api = new Api(new Keys());
    this.wanted = { message: 0, file: 0 };
    /** The name of the file that is shown, or is to be. */
    this.file = null;
    this.opening = null;
    this.mail = new Mail(this.api, {
      onRecipient: (recipient) => this.showRecipient(recipient),
      reopen: (recipient) => this.reopen(recipient),
      onFailure: (error) => this.failed(error),
    });
    this.message = new Message(this.api, {
      recipient: () => this.wanted.message,
      onView: (view) => this.showMessage(view),
      onProblems: () => this.isAtMessage && this.mail.stale(true),
      onOpened: () => this.go(MESSAGE),
    });
    this.outbox = new Outbox(this.api, (name) => this.go(placeOf(name)));
    this.sources = new Tabs(byId("sources"), (name) => this.go(name));
    addEventListener("hashchange", () => this.arrive());
  }

  get isAtMessage() {
    return this.sources.selected === MESSAGE;
  }

  async begin() {
    try {
      const { outbox, file, version } = await this.api.status();
      byId("version").textContent = version ?? "";
      byId("tab-outbox").hidden = !outbox;
      this.message.begin(file ?? null);
      this.hasOutbox = outbox;
      if (location.hash === "") {
        this.stay(outbox && file === null ? "outbox" : MESSAGE);
      }
      this.arrive();
      if (outbox) {
        await this.outbox.follow(() => this.listed());
      }
    } catch (error) {
      this.failed(error);
    }
  }

  /** The address says what is shown, so that a reload and the way back keep it. */
  go(place) {
    if (location.hash === `#${place}`) {
      this.arrive();
    } else {
      location.hash = place;
    }
  }

  /** The address becomes that of what is shown without being asked for, which is no step back. */
  stay(place) {
    history.replaceState(null, "", `#${place}`);
  }

  arrive() {
    const [source, name] = location.hash.slice(1).split("/");
    if (source !== "outbox" || !this.hasOutbox) {
      this.sources.select(MESSAGE);
      this.message.check.now();
      return;
    }
    this.sources.select("outbox");
    const file = fileOf(name);
    if (file !== null) {
      this.open(file);
    } else if (this.file !== null) {
      this.stay(placeOf(this.file));
      this.open(this.file);
    } else {
      this.listed();
    }
  }

  /** Shows the newest file where none was asked for. */
  listed() {
    if (this.isAtMessage || this.file !== null) {
      return;
    }
    if (this.outbox.newest === undefined) {
      this.mail.clear();
    } else {
      this.stay(placeOf(this.outbox.newest));
      this.open(this.outbox.newest);
    }
  }

  showMessage(view) {
    this.wanted.message = view.recipient;
    if (this.isAtMessage) {
      this.mail.show(view, MESSAGE, this.message.isFaulty);
      this.clearFailure();
    }
  }

  async open(name, recipient = name === this.file ? this.wanted.file : 0) {
    this.file = name;
    this.outbox.mark(name);
    await this.ask((signal) => this.api.viewOfFile(name, recipient, signal), (view) => this.showFile(name, view));
  }

  showFile(name, view) {
    this.wanted.file = view.recipient;
    if (!this.isAtMessage) {
      this.mail.show(view, placeOf(name));
    }
  }

  /** Asks for a view, in place of what was asked for before. */
  async ask(question, onView) {
    this.opening?.abort();
    const { signal } = (this.opening = new AbortController());
    try {
      const view = await question(signal);
      if (!signal.aborted) {
        this.clearFailure();
        onView(view);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.failed(error);
      }
    }
  }

  showRecipient(recipient) {
    const { view } = this.mail.view;
    const [isAtMessage, name] = [this.isAtMessage, this.file];
    const again = async (signal) => {
      try {
        return await this.api.viewAgain(view, recipient, signal);
      } catch (error) {
        if (error.status !== 404) {
          throw error;
        }
        return this.reopen(recipient, signal);
      }
    };
    return this.ask(again, (shown) => (isAtMessage ? this.showMessage(shown) : this.showFile(name, shown)));
  }

  /** The view of what is shown, made anew. */
  reopen(recipient, signal) {
    return this.isAtMessage ? this.message.view(recipient, signal) : this.api.viewOfFile(this.file, recipient, signal);
  }

  failed(error) {
    const known = unreachable(error);
    const banner = byId("banner");
    banner.classList.add("shown");
    say(banner, known.message);
    if (known === error && error.status === undefined) {
      throw error;
    }
  }

  clearFailure() {
    byId("banner").classList.remove("shown");
    say(byId("banner"), "");
  }
}

new Page().begin();
