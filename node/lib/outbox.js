'use strict';

const native = require('./native.js');

/** What was submitted to a directory in memory. */
class Outbox {
  #outbox;
  #messages = [];

  constructor(directory) {
    this.#outbox = native.openOutbox(directory);
  }

  /** The messages in order: one for all its recipients, of a mail merge one for each. */
  get messages() {
    for (const message of messagesIn(native.nextSent(this.#outbox))) this.#messages.push(message);
    return [...this.#messages];
  }

  /** Forgets what was submitted. */
  clear() {
    native.clearOutbox(this.#outbox);
    this.#messages = [];
  }
}

/** A message that was submitted, read from the octets that a mail program gets. */
class SentMessage {
  constructor({ recipients, envelope, attachments, ...fields }, contents) {
    for (const [name, value] of Object.entries(fields)) {
      // What is not there is absent, as in a receipt.
      if (value !== null) this[name] = value;
    }
    const { from, to: _, priority, ...others } = envelope;
    this.envelope = { from, to: recipients, ...others };
    if (priority !== undefined) this.envelope.priority = Number(priority);
    this.bcc = hidden(recipients, [...fields.to, ...fields.cc]);
    this.octets = contents.next().value;
    this.attachments = attachments.map(({ filename, type, disposition, contentId }) => ({
      ...(filename !== undefined && { filename }),
      type,
      ...(disposition !== undefined && { disposition }),
      ...(contentId !== undefined && { contentId }),
      content: contents.next().value,
    }));
  }

  /** The value of the first header field of this name, in whatever letter case. */
  header(name) {
    const known = name.toLowerCase();
    return this.headers.find((field) => field.name.toLowerCase() === known)?.value;
  }
}

/** The messages as the addon tells them. */
function messagesIn({ messages, contents }) {
  const next = contents.values();
  return JSON.parse(messages).map((fields) => new SentMessage(fields, next));
}

/** Who gets a message and is not shown in it. */
function hidden(recipients, shown) {
  const known = new Set(shown.map(({ address }) => address.toLowerCase()));
  return recipients.filter((address) => !known.has(address.toLowerCase())).map((address) => ({ name: '', address }));
}

module.exports = { Outbox, messagesIn };
