// The access key: asked for once the daemon wants one, kept for this tab alone.

import { byId, say } from "./elements.js";

const PLACE = "pmtaemail-key";

export class Keys {
  constructor() {
    this.current = sessionStorage.getItem(PLACE);
    this.asked = null;
    this.dialog = byId("key-dialog");
    this.field = byId("key");
    byId("key-cancel").addEventListener("click", () => this.dialog.close(""));
    this.button = byId("forget-key");
    this.button.hidden = this.current === null;
    this.button.addEventListener("click", () => {
      this.keep(null);
      location.reload();
    });
  }

  keep(key) {
    this.current = key;
    this.button.hidden = key === null;
    if (key === null) {
      sessionStorage.removeItem(PLACE);
    } else {
      sessionStorage.setItem(PLACE, key);
    }
  }

  /** Asks for a key in place of `refused`, once for all who wait; gives whether there is another. `why` it was refused. */
  async another(refused, why) {
    if (this.current === refused) {
      this.asked ??= this.ask(refused === null ? null : why).finally(() => (this.asked = null));
      await this.asked;
    }
    return this.current !== refused;
  }

  ask(why) {
    if (why !== null) {
      say(byId("key-said"), why);
    }
    this.field.value = "";
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.field.focus();
    return new Promise((resolve) => {
      const closed = () => {
        // A header field holds no other characters.
        const key = this.field.value.trim().replace(/[^\x21-\x7e]/g, "");
        this.field.value = "";
        if (this.dialog.returnValue === "use" && key !== "") {
          this.keep(key);
        }
        resolve();
      };
      this.dialog.addEventListener("close", closed, { once: true });
    });
  }
}
