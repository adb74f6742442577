'use strict';

const native = require('./native.js');
const { IdempotencyError, MessageError, PickupError } = require('./errors.js');
const { Encoder, isAsync } = require('./encoder.js');

// The core knows how much goes well together, and how many groups go well at a time.
const [mostMessages, mostBytes, groupsAtATime] = native.groupLimits();

/** Messages that are submitted together. */
class Group {
  #encoder;
  #selection;
  /** Where they are submitted to. */
  directory;
  #settle = [];
  /** False for a group of one message, whose selection is not that of others. */
  takesMore = true;

  /**
   * `selection` tells for which recipients all its messages are, which are then mail merges, their idempotency key, and
   * whether receipts have warnings.
   */
  constructor(directory, selection = [], encoder = new Encoder()) {
    this.directory = directory;
    this.#encoder = encoder;
    this.#selection = selection;
  }

  /** Adds a message; `settle` gets its receipt or its error. */
  add(message, settle) {
    this.#encoder.add(message);
    this.expect(settle);
  }

  /** The same for a message that the encoder has already. */
  expect(settle) {
    this.#settle.push(settle);
  }

  /** Whether its receipts have warnings. */
  get warns() {
    return this.#selection.at(-1) === true;
  }

  get isEmpty() {
    return this.#settle.length === 0;
  }

  get isFull() {
    return this.#settle.length >= mostMessages || this.#encoder.size >= mostBytes;
  }

  /** Submits them, blocking. */
  submit() {
    if (!this.isEmpty) this.#finish(native.submit(this.directory, ...this.#encoder.arguments(), ...this.#selection));
  }

  /** Submits them on another thread. */
  async submitLater() {
    if (this.isEmpty) return;
    try {
      this.#finish(await native.submitLater(this.directory, ...this.#encoder.arguments(), ...this.#selection));
    } catch (error) {
      for (const settle of this.#settle) settle(error);
    }
  }

  #finish({ outcomes, recipients }) {
    const merges = recipients.values();
    JSON.parse(outcomes).forEach((outcome, index) => this.#settle[index](receiptOrError(outcome, merges)));
  }
}

function receiptOrError({ receipt, problems, failure, noKey }, merges) {
  if (noKey) return new IdempotencyError(noKey);
  if (problems) return new MessageError(problems.problems, problems.total);
  if (failure) return new PickupError(failure);
  if (receipt.envids) {
    const value = new RecipientReceipts(merges.next().value);
    // It is nothing for JSON or `console.log`, where it would be very long, or nothing.
    Object.defineProperty(receipt, 'recipientReceipts', { value });
  }
  return receipt;
}

/** What the recipients of a mail merge are known by. They are made when they are asked for. */
class RecipientReceipts {
  #ids;

  constructor(ids) {
    this.#ids = ids;
  }

  *[Symbol.iterator]() {
    const receipts = native.recipientReceipts(this.#ids);
    for (;;) {
      const some = JSON.parse(native.nextReceipts(receipts));
      if (some.length === 0) return;
      yield* some;
    }
  }
}

/**
 * Submits messages in groups: at once when nothing is under way, together with all others that came in the
 * meantime when something is.
 */
class Queue {
  #groups = [];
  #running = 0;
  /** Who waits for groups to be submitted. */
  #waiting = [];

  /**
   * The receipt or the error of a message, which goes to `directory` however long it waits. Rejects where the message
   * itself throws.
   */
  async add(directory, message, selection) {
    if (isAsync(message)) return this.#addAlone(directory, selection, (encoder) => encoder.addAsync(message));
    const isItsOwn = selection?.slice(0, -1).some(Boolean);
    if (isItsOwn) return this.#addAlone(directory, selection, (encoder) => encoder.add(message));
    return new Promise((settle) => this.#open(directory, selection).add(message, settle));
  }

  /** Whether more messages had better wait: all of very many should not be written down at once. */
  get isFull() {
    return this.#groups.length > groupsAtATime;
  }

  /** Resolves when it is full no more. */
  async room() {
    while (this.isFull) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A message that is a group of its own, because it is slow to come or not for all its recipients. */
  async #addAlone(directory, selection, write) {
    const encoder = new Encoder();
    await write(encoder);
    const group = new Group(directory, selection, encoder);
    group.takesMore = false;
    return new Promise((settle) => {
      group.expect(settle);
      this.#push(group);
    });
  }

  /** The group that still takes messages which go there and of which as much is asked for. */
  #open(directory, selection) {
    const last = this.#groups.at(-1);
    const warns = selection?.at(-1) === true;
    const fits = last?.directory === directory && last.warns === warns;
    if (fits && last.takesMore && !last.isFull) return last;
    const group = new Group(directory, selection);
    this.#push(group);
    return group;
  }

  #push(group) {
    this.#groups.push(group);
    // Not at once, so that what is submitted in one go stays together.
    queueMicrotask(() => this.#start());
  }

  #start() {
    while (this.#running < groupsAtATime && this.#groups.length > 0) this.#run(this.#groups.shift());
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #run(group) {
    this.#running++;
    await group.submitLater();
    this.#running--;
    this.#start();
  }
}

module.exports = { Group, Queue };
