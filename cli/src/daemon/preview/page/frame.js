// The HTML of a mail in a frame without rights: no scripts, no forms, no windows, an origin of its own, and, until a
// person asks for it, nothing from the network. The daemon's policy for the document says the same a second time.

import { byId, element } from "./elements.js";
import { plural } from "./sizes.js";

export class Frame {
  /** `onLook` is told of another look, and has `load` called once the daemon surely has the view. */
  constructor(onLook) {
    this.stage = byId("stage");
    this.look = byId("look");
    this.html = null;
    this.isRemoteLoaded = false;
    this.look.addEventListener("change", onLook);
    byId("load-remote").addEventListener("click", () => {
      this.isRemoteLoaded = true;
      // The button goes; the focus stays near.
      this.look.querySelector("input:checked").focus();
      onLook();
    });
  }

  chosen(name) {
    return this.look.querySelector(`input[name=${name}]:checked`).value;
  }

  /** Shows the HTML of a view. Another mail's remote content is asked for anew. */
  show(html, isAnother) {
    this.isRemoteLoaded &&= !isAnother;
    this.html = html;
    this.load();
  }

  /** Loads the HTML with the look that is chosen. */
  load() {
    const [width, scheme] = [this.chosen("width"), this.chosen("scheme")];
    byId("dark-note").hidden = scheme !== "dark";
    this.tellRemote();
    this.stage.dataset.width = width;
    this.stage.dataset.scheme = scheme;
    if (this.html === null) {
      this.stage.replaceChildren();
      return;
    }
    const address = new URL(this.html.url, location.origin);
    address.searchParams.set("scheme", scheme);
    if (this.isRemoteLoaded) {
      address.searchParams.set("remote", "1");
    }
    // A frame of its own for each: changing the address of one would add to the page's history. The one before it stays
    // until this one has something to show.
    const frame = element("iframe", {
      sandbox: "",
      src: address.href,
      title: "The mail as HTML",
      referrerpolicy: "no-referrer",
      class: "coming",
      load: () => {
        frame.classList.remove("coming");
        for (const other of [...this.stage.children].filter((other) => other !== frame)) {
          other.remove();
        }
      },
    });
    for (const other of this.stage.querySelectorAll(".coming")) {
      other.remove();
    }
    this.stage.append(frame);
  }

  tellRemote() {
    const remote = this.html?.remote ?? 0;
    byId("remote").hidden = remote === 0;
    byId("load-remote").hidden = this.isRemoteLoaded;
    byId("remote-said").textContent = this.isRemoteLoaded
      ? `${plural(remote, "remote item")} loaded.`
      : `${plural(remote, "remote item")} blocked.`;
  }
}
