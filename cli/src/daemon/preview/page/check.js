// Asks the daemon for the view of a text, a little after the last change, and never waits for an answer that is out of date.

import { Refused } from "./api.js";

const PAUSE = 250;

export class Check {
  /** `ask(signal)` gives a view. The other two are told how the newest question ended. */
  constructor({ ask, onView, onFailure }) {
    Object.assign(this, { ask, onView, onFailure });
    this.timer = null;
    this.running = null;
  }

  /** Asks after a pause, in which there may be more changes. */
  soon() {
    this.stop();
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  async now() {
    this.stop();
    const running = (this.running = new AbortController());
    try {
      const view = await this.ask(running.signal);
      if (this.running === running) {
        this.onView(view);
      }
    } catch (error) {
      if (this.running === running) {
        this.onFailure(error instanceof Refused ? error : unreachable(error));
      }
    }
  }

  stop() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
  }
}

/** The failure of a request that had no answer; an error of the page's own is none. */
export function unreachable(error) {
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return new Error("The daemon does not answer.");
  }
  return error;
}
