// The right side: a mail, as the daemon's view of it says, in all its tabs.

import { byId, element, pairs, say } from "./elements.js";
import { Frame } from "./frame.js";
import * as panels from "./panels.js";
import { Recipients } from "./recipients.js";
import { CLIPPED_OCTETS, plural, size } from "./sizes.js";
import { Tabs } from "./tabs.js";

const TITLE = "Mail preview";

export class Mail {
  /** `onRecipient` is told which recipient to show; `reopen` makes the view anew, after the daemon let it go. */
  constructor(api, { onRecipient, reopen, onFailure }) {
    Object.assign(this, { api, reopen, onFailure });
    this.view = null;
    this.origin = null;
    this.fetching = null;
    this.recipients = new Recipients(onRecipient);
    this.frame = new Frame(() => {
      this.alive().then(() => this.frame.load(), onFailure);
    });
    this.tabs = new Tabs(byId("views"), () => this.showTab());
    byId("shown").addEventListener("click", (event) => this.save(event));
  }

  /** Shows a view of what is called `origin`: the message at the left, or a file; `isStale` as in `stale`. */
  show(view, origin, isStale = false) {
    const isAnother = origin !== this.origin;
    this.view = view;
    this.origin = origin;
    byId("nothing").hidden = true;
    byId("shown").hidden = false;
    this.stale(isStale);
    this.showHead();
    this.recipients.show(view);
    this.showHtml(isAnother);
    byId("panel-text").replaceChildren(...panels.textPanel(view.text));
    byId("panel-amp").replaceChildren(...panels.ampPanel(view.amp));
    byId("panel-headers").replaceChildren(...panels.headersPanel(view.headers ?? []));
    byId("panel-parts").replaceChildren(...panels.partsPanel(view.parts));
    byId("panel-attachments").replaceChildren(...panels.attachmentsPanel(view.attachments ?? []));
    byId("attachment-count").textContent = view.attachments?.length || "";
    byId("panel-source").replaceChildren();
    byId("panel-pickup").replaceChildren();
    this.showTab();
  }

  /** Shows nothing. */
  clear() {
    document.title = TITLE;
    this.view = this.origin = null;
    byId("nothing").hidden = false;
    byId("shown").hidden = true;
  }

  /** Says whether what is shown is from before the problems that a message has now. */
  stale(isStale) {
    byId("stale").hidden = !isStale || this.view === null;
  }

  header(name) {
    return this.view.headers?.find((header) => header.name.toLowerCase() === name)?.value;
  }

  showHead() {
    const { html, source, pickup_file: pickupFile, file, warnings, rejected = [], notice, clipped } = this.view;
    // What is no mail of ours has the name of its file alone.
    const subject = this.header("subject") || (source === null && file) || "Without a subject";
    say(byId("subject"), subject);
    document.title = `${subject} · ${TITLE}`;
    const people = ["From", "To", "Cc", "Date"].map((name) => [name, this.header(name.toLowerCase())]);
    byId("people").replaceChildren(...pairs(people.filter(([, said]) => said)));
    byId("facts").replaceChildren(
      ...[
        element("span", {}, size((source ?? pickupFile).octets)),
        html ? element("span", {}, `HTML ${size(html.octets)}`) : null,
        clipped ? element("strong", { class: "clipped" }, `Gmail clips HTML over ${size(CLIPPED_OCTETS)}`) : null,
      ].filter(Boolean),
    );
    byId("notice").hidden = !notice;
    byId("notice").textContent = notice ?? "";
    this.showTold("warnings", plural(warnings.length, "warning"), warnings);
    this.showTold("rejected", plural(rejected.length, "recipient left out", "recipients left out"), rejected);
  }

  /** What is told of a mail beside what it is, behind a line that says how much there is. */
  showTold(id, said, told) {
    const place = byId(id);
    place.hidden = told.length === 0;
    place.querySelector("summary").textContent = said;
    const items = told.map(({ detail, pointer }) =>
      element("li", {}, detail, " ", pointer ? element("code", {}, pointer.replace(/^#/, "")) : null),
    );
    place.querySelector("ul").replaceChildren(...items);
  }

  showHtml(isAnother) {
    const { html, text } = this.view;
    const none = byId("no-html");
    none.hidden = html !== null;
    none.textContent =
      text === null ? "This mail has neither HTML nor text." : "This mail has no HTML. Its text is in the next tab.";
    byId("look").hidden = html === null;
    this.frame.show(html, isAnother);
  }

  /** What a tab fetches only when it is looked at. */
  async showTab() {
    this.fetching?.abort();
    const { signal } = (this.fetching = new AbortController());
    const shown = this.tabs.selected;
    const panel = byId(`panel-${shown}`);
    if (this.view === null || !["source", "pickup"].includes(shown) || panel.hasChildNodes()) {
      return;
    }
    try {
      const { source, pickup_file: pickupFile, envelope } = await this.alive();
      // It may have been made anew, and this tab with it.
      if (signal.aborted) {
        return;
      }
      const [octets, name, label] =
        shown === "source"
          ? [source, "message.eml", "Source of the mail"]
          : [pickupFile, "pickup-file", "Pickup file"];
      const made = octets ? await panels.sourcePanel(this.api, octets, name, label, signal) : [];
      if (!signal.aborted) {
        panel.replaceChildren(...(shown === "pickup" ? panels.envelopePanel(envelope) : []), ...made);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.onFailure(error);
      }
    }
  }

  /** The view, which the daemon has: it keeps the newest alone, and one that is gone is made anew. */
  async alive() {
    const { view, recipient } = this.view;
    try {
      await this.api.viewAgain(view, recipient);
    } catch (error) {
      if (error.status !== 404) {
        throw error;
      }
      this.show(await this.reopen(recipient), this.origin);
    }
    return this.view;
  }

  /** A link that saves something leads to a view that the daemon has. */
  async save(event) {
    const link = event.target.closest("a[download]");
    if (link === null) {
      return;
    }
    event.preventDefault();
    const before = this.view.view;
    try {
      const { view } = await this.alive();
      const href = link.getAttribute("href").replace(before, view);
      element("a", { href, download: link.download }).click();
    } catch (error) {
      this.onFailure(error);
    }
  }
}
