// The files in the pickup directory, newest first, as they come and go.

import { byId, element, say } from "./elements.js";
import { plural, size, when } from "./sizes.js";

/** How long until the next try, in milliseconds, doubled each time up to the second. */
const [FIRST_WAIT, LONGEST_WAIT] = [500, 15_000];

export class Outbox {
  /** `onOpen` is told the name of a file. */
  constructor(api, onOpen) {
    Object.assign(this, { api, onOpen });
    this.list = byId("outbox-list");
    this.items = new Map();
    this.names = null;
    this.current = null;
  }

  /** Follows the directory for good; `onList` is told the list each time. */
  async follow(onList) {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        await this.api.outbox((list) => {
          wait = FIRST_WAIT;
          if (list === null) {
            this.tell("The pickup directory cannot be read.", false);
          } else {
            this.tell("Live", true);
            this.show(list);
            onList();
          }
        });
      } catch (error) {
        if (error.status === 401 || error.status === 403) {
          this.tell(error.message, false);
          throw error;
        }
      }
      this.tell("Not connected. Trying again…", false);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  tell(sentence, isLive) {
    const state = byId("outbox-state");
    say(state, sentence);
    state.classList.toggle("live", isLive);
  }

  get newest() {
    return this.names?.[0];
  }

  show({ files, more }) {
    const before = this.names;
    this.names = files.map(({ name }) => name);
    const kept = new Set(this.names);
    for (const [name, item] of this.items) {
      if (!kept.has(name)) {
        item.remove();
        this.items.delete(name);
      }
    }
    // Those that stay are not moved, so that none loses the focus: a new one is put before what it comes before.
    let next = null;
    for (const file of files.toReversed()) {
      let item = this.items.get(file.name);
      if (item === undefined) {
        item = this.item(file);
        this.items.set(file.name, item);
        this.list.insertBefore(item, next);
      } else if (item.nextElementSibling !== next) {
        this.list.insertBefore(item, next);
      }
      next = item;
    }
    byId("outbox-count").textContent = files.length > 0 ? `${files.length}${more ? "+" : ""}` : "";
    byId("outbox-empty").hidden = files.length > 0;
    byId("outbox-more").hidden = !more;
    this.mark(this.current);
    if (before !== null) {
      this.announce(files.filter(({ name }) => !before.includes(name)));
    }
  }

  announce(fresh) {
    if (fresh.length > 0) {
      const [newest] = fresh;
      byId("outbox-news").textContent =
        fresh.length === 1 ? `New in the outbox: ${newest.subject || newest.name}` : `${fresh.length} new files in the outbox`;
    }
  }

  item({ name, octets, time, subject, from, recipients }) {
    const facts = [from, recipients === undefined || recipients === null ? null : plural(recipients, "recipient"), size(octets)];
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", click: () => this.onOpen(name) },
        element("span", { class: "file-subject" }, subject || name),
        element("time", { datetime: time }, when(time)),
        element("span", { class: "file-facts quiet" }, facts.filter(Boolean).join(" · ")),
      ),
    );
  }

  /** Marks the file that is shown. */
  mark(name) {
    this.current = name;
    for (const [other, item] of this.items) {
      const button = item.firstElementChild;
      if (other === name) {
        button.setAttribute("aria-current", "true");
      } else {
        button.removeAttribute("aria-current");
      }
    }
  }
}
