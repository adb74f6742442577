// The daemon's side of the page: each request, with the key, and what an answer that is no success says.

import { readEvents } from "./events.js";

/** An answer with problem details (RFC 9457). */
export class Refused extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? `The daemon answered with status ${status}.`);
    this.status = status;
    /** What is wrong with a message, each with its place. */
    this.problems = document.errors ?? [];
  }
}

export class Api {
  constructor(keys) {
    this.keys = keys;
  }

  status() {
    return this.json("api/status");
  }

  /** The view of a message: text or octets, of this media type. */
  viewOf(body, type, recipient, signal) {
    const headers = { "Content-Type": type };
    return this.json(`api/views?recipient=${recipient}`, { method: "POST", body, headers, signal });
  }

  /** A view that the daemon has, of another recipient. */
  viewAgain(view, recipient, signal) {
    return this.json(`api/views/${encodeURIComponent(view)}?recipient=${recipient}`, { signal });
  }

  /** The view of a file in the outbox. */
  viewOfFile(name, recipient, signal) {
    return this.json(`api/outbox/${encodeURIComponent(name)}?recipient=${recipient}`, { method: "POST", signal });
  }

  /** Calls `onOutbox` with the list of files, now and whenever it changes, until the connection ends; with null where the
   *  directory cannot be read. */
  async outbox(onOutbox) {
    await readEvents(await this.request("api/outbox/events"), (name, data) => {
      if (name === "outbox" || name === "unreadable") {
        onOutbox(name === "outbox" ? JSON.parse(data) : null);
      }
    });
  }

  /** The beginning of what is at an address: at most `limit` octets, and whether that is all. */
  async beginning(address, limit, signal) {
    const reader = (await this.request(address, { signal })).body.getReader();
    const decoder = new TextDecoder();
    let [text, octets] = ["", 0];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return { text: text + decoder.decode(), isWhole: true };
      }
      text += decoder.decode(value.subarray(0, limit - octets), { stream: true });
      octets += value.length;
      if (octets > limit) {
        await reader.cancel();
        return { text, isWhole: false };
      }
    }
  }

  async json(path, options) {
    return JSON.parse(await (await this.request(path, options)).text(), asWritten);
  }

  async request(path, options = {}) {
    const address = path.startsWith("/") ? path : `/preview/${path}`;
    for (;;) {
      const key = this.keys.current;
      const headers = new Headers(options.headers);
      if (key !== null) {
        headers.set("Authorization", `Bearer ${key}`);
      }
      // With credentials of its own a browser would ask for a password before the page can.
      const response = await fetch(address, { ...options, headers, cache: "no-store", credentials: "omit" });
      if (response.ok) {
        return response;
      }
      const refused = new Refused(response.status, await response.json().catch(() => ({})));
      // Without a key it is 401; 403 is the answer to one that does not do.
      const isForKey = response.status === 401 || (response.status === 403 && key !== null);
      if (!isForKey || !(await this.keys.another(key, refused.message))) {
        throw refused;
      }
      options.signal?.throwIfAborted();
    }
  }
}

/** A number with the digits that it was written with, `19.90`, where the browser tells them. */
function asWritten(_, value, context) {
  const isOther = typeof value === "number" && context?.source !== undefined && context.source !== String(value);
  return isOther ? JSON.rawJSON(context.source) : value;
}
