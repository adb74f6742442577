'use strict';

const native = require('./native.js');
const { MessageError, PickupError } = require('./errors.js');
const { Tape } = require('./tape.js');

// Each message holds a file descriptor until all of its group are durable.
const MOST_MESSAGES = 256;
const MOST_OCTETS = 16 * 1024 * 1024;

// While one group waits for the disk, the next is prepared.
const LANES = 2;

/** Messages that are handed over together. */
class Group {
  #tape = new Tape();
  #settle = [];

  /** Adds a message; `settle` gets its receipt or its error. */
  add(message, settle) {
    this.#tape.add(message);
    this.#settle.push(settle);
  }

  get isEmpty() {
    return this.#settle.length === 0;
  }

  get isFull() {
    return this.#settle.length >= MOST_MESSAGES || this.#tape.size >= MOST_OCTETS;
  }

  /** Hands over, blocking. */
  handOver(directory) {
    if (!this.isEmpty) this.#finish(native.handOver(directory, ...this.#tape.arguments()));
  }

  /** Hands over on another thread. */
  async handOverLater(directory) {
    if (this.isEmpty) return;
    try {
      this.#finish(await native.handOverLater(directory, ...this.#tape.arguments()));
    } catch (error) {
      for (const settle of this.#settle) settle(error);
    }
  }

  #finish(outcomes) {
    JSON.parse(outcomes).forEach((outcome, index) => this.#settle[index](receiptOrError(outcome)));
  }
}

function receiptOrError({ receipt, problems, failure }) {
  if (problems) return new MessageError(problems);
  if (failure) return new PickupError(failure);
  return receipt;
}

/**
 * Hands messages over in groups: at once when nothing is under way, together with all others that came in the
 * meantime when something is.
 */
class Queue {
  #directory;
  #groups = [];
  #lanesTaken = 0;

  constructor(directory) {
    this.#directory = directory;
  }

  add(message) {
    return new Promise((settle) => this.#open().add(message, settle));
  }

  /** The group that still takes messages. */
  #open() {
    const last = this.#groups.at(-1);
    if (last && !last.isFull) return last;
    const group = new Group();
    this.#groups.push(group);
    // Not at once, so that what is submitted in one go stays together.
    queueMicrotask(() => this.#start());
    return group;
  }

  #start() {
    while (this.#lanesTaken < LANES && this.#groups.length > 0) this.#run(this.#groups.shift());
  }

  async #run(group) {
    this.#lanesTaken++;
    await group.handOverLater(this.#directory);
    this.#lanesTaken--;
    this.#start();
  }
}

module.exports = { Group, Queue };
