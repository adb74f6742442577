'use strict';

const native = require('./native.js');
const { Outbox, messagesIn } = require('./outbox.js');
const { refuseOthers } = require('./options.js');

/** What is submitted while a test captures it. */
class CapturedOutbox extends Outbox {
  #directory;

  constructor(directory) {
    super(directory);
    this.#directory = directory;
  }

  /** Ends the capture; the messages stay. */
  end() {
    native.endCapture(this.#directory);
  }

  // TypeScript's name for it where Node has none.
  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.end();
  }
}

/** Has all that is submitted from now on stay in memory, whichever Pickup it is submitted to. */
function capture() {
  return new CapturedOutbox(native.beginCapture());
}

/** The messages in a pickup file that this library wrote. */
function read(file, options = {}) {
  refuseOthers(options, ['received']);
  const { received = new Date() } = options;
  if (!(file instanceof Uint8Array)) throw new TypeError('The pickup file must be its octets, a Buffer or another Uint8Array.');
  if (!(received instanceof Date) || !(received.getTime() >= 0)) throw new TypeError('`received` must be a Date since 1970.');
  return messagesIn(native.sentInFile(file, received.getTime()));
}

module.exports = { capture, read };
