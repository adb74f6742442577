'use strict';

const { resolve } = require('node:path');
const { fileURLToPath } = require('node:url');
const native = require('./native.js');
const { PickupError } = require('./errors.js');
const { Group, Queue } = require('./group.js');

/**
 * PowerMTA's pickup directory, opened once and used from everywhere. What is submitted at the same time is made durable
 * together.
 */
class Pickup {
  #directory;
  #queue;

  constructor(directory, options = {}) {
    const { durable, staging, syncfs } = settings(options);
    const opened = native.openPickup(pathOf('directory', directory), durable, staging, syncfs);
    if (typeof opened === 'string') throw new PickupError(JSON.parse(opened));
    this.#directory = opened;
    this.#queue = new Queue(opened);
  }

  /** The absolute path of the directory. */
  get path() {
    return native.pickupPath(this.#directory);
  }

  /** Hands a message over. Resolves to its receipt once it is durable. */
  async submit(message) {
    return receipt(await this.#queue.add(message));
  }

  /** The same, blocking. */
  submitSync(message) {
    const [submitted] = this.submitManySync([message]);
    return receipt(submitted);
  }

  /** Hands messages over. Resolves to a receipt or an error for each, in their order. */
  async submitMany(messages) {
    const submitted = [];
    for (const message of messages) submitted.push(this.#queue.add(message).catch(asError));
    return Promise.all(submitted);
  }

  /** The same, blocking. */
  submitManySync(messages) {
    const submitted = [];
    let group = new Group();
    for (const message of messages) {
      const place = submitted.push(undefined) - 1;
      try {
        group.add(message, (result) => (submitted[place] = result));
      } catch (error) {
        submitted[place] = asError(error);
      }
      if (group.isFull) {
        group.submit(this.#directory);
        group = new Group();
      }
    }
    group.submit(this.#directory);
    return submitted;
  }
}

function receipt(submitted) {
  if (submitted instanceof Error) throw submitted;
  return submitted;
}

/** What a message's own getter throws may be anything. */
function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error('the message could not be read', { cause: thrown });
}

function settings(options) {
  const { durability = 'durable', staging, syncfs = true, ...unknown } = options;
  for (const name of Object.keys(unknown)) throw new TypeError(`There is no option \`${name}\`.`);
  if (durability !== 'durable' && durability !== 'none') {
    throw new TypeError("`durability` must be 'durable' or 'none'.");
  }
  if (typeof syncfs !== 'boolean') throw new TypeError('`syncfs` must be true or false.');
  return {
    durable: durability === 'durable',
    staging: staging === undefined ? undefined : pathOf('staging', staging),
    syncfs,
  };
}

function pathOf(name, value) {
  const path = value instanceof URL ? fileURLToPath(value) : value;
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TypeError(`\`${name}\` must be a path: a string or a file: URL.`);
  }
  return resolve(path);
}

module.exports = { Pickup };
