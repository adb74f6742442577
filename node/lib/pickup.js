'use strict';

const { resolve } = require('node:path');
const { fileURLToPath } = require('node:url');
const native = require('./native.js');
const { PickupError } = require('./errors.js');
const { isAsync, isAsyncIterable } = require('./encoder.js');
const { Group, Queue } = require('./group.js');
const { flag, refuseOthers, selection } = require('./options.js');
const { Outbox } = require('./outbox.js');

/** In place of a path. */
const MEMORY = Symbol('memory');
const OPTIONS = ['durability', 'staging', 'syncfs', 'fileMode', 'fileGroup', 'state'];
const SUBMIT_OPTIONS = ['recipient', 'limit'];

/** For the transport: where a submission to a Pickup goes now, and a submission that goes there. */
let destination;
let submitTo;

/**
 * PowerMTA's pickup directory, opened once and used from everywhere. What is submitted at the same time is made durable
 * together.
 */
class Pickup {
  #pickup;
  /** Where the last submission went. */
  #directory;
  #queue = new Queue();

  constructor(directory, options = {}) {
    this.#pickup = directory === MEMORY ? native.openMemory() : open(directory, options);
  }

  /** One in memory, for the tests of an application. */
  static memory() {
    return new MemoryPickup();
  }

  /** The absolute path of the directory. */
  get path() {
    return native.pickupPath(this.#pickup);
  }

  /** Hands a message over, of a mail merge for all recipients or some. Resolves to its receipt once it is durable. */
  async submit(message, options) {
    const selection = asked(options);
    return this.#submitTo(this.#destination(), message, selection);
  }

  /** The same, blocking. */
  submitSync(message, options) {
    const [submitted] = this.#submitAll([message], asked(options));
    return receipt(submitted);
  }

  /** Hands messages over. Resolves to a receipt or an error for each, in their order. */
  async submitMany(messages, options) {
    const selection = asked(options, []);
    const directory = this.#destination();
    // An error of the list itself comes before anything is handed over.
    const all = isAsyncIterable(messages) ? await collected(messages) : [...listOf(messages)];
    const submitted = [];
    for (const message of all) {
      submitted.push(this.#queue.add(directory, message, selection).catch(asError));
      // One after the other: what each takes from its iterable may be much.
      if (mustWait(message)) await submitted.at(-1);
      if (this.#queue.isFull) await this.#queue.room();
    }
    return Promise.all(submitted);
  }

  /** The same, blocking. */
  submitManySync(messages, options) {
    return this.#submitAll([...listOf(messages)], asked(options, []));
  }

  #submitAll(messages, selection) {
    const submitted = [];
    const directory = this.#destination();
    let group = new Group(directory, selection);
    for (const message of messages) {
      const place = submitted.push(undefined) - 1;
      try {
        group.add(message, (result) => (submitted[place] = result));
      } catch (error) {
        submitted[place] = asError(error);
      }
      if (group.isFull) {
        group.submit();
        group = new Group(directory, selection);
      }
    }
    group.submit();
    return submitted;
  }

  async #submitTo(directory, message, selection) {
    return receipt(await this.#queue.add(directory, message, selection));
  }

  /** Where a submission goes now: a test may capture it. */
  #destination() {
    if (this.#directory === undefined || !native.isDestination(this.#pickup, this.#directory)) {
      this.#directory = openedOrThrow(native.destination(this.#pickup));
    }
    return this.#directory;
  }

  static {
    destination = (pickup) => pickup.#destination();
    submitTo = (pickup, directory, message) => {
      // The method that others can see, where it comes to the same.
      if (native.isDestination(pickup.#pickup, directory)) return pickup.submit(message);
      return pickup.#submitTo(directory, message, asked());
    };
  }
}

/** A pickup in memory. It does all that one on disk does, and hands nothing over. */
class MemoryPickup extends Pickup {
  #outbox;

  constructor() {
    super(MEMORY);
    this.#outbox = new Outbox(destination(this));
  }

  /** What was submitted, in order. */
  get messages() {
    return this.#outbox.messages;
  }

  /** Forgets what was submitted, but for its idempotency keys. */
  clear() {
    this.#outbox.clear();
  }
}

function open(directory, options) {
  const { durable, staging, syncfs, fileMode, fileGroup, state } = settings(options);
  const path = pathOf('directory', directory);
  return openedOrThrow(native.openPickup(path, durable, staging, syncfs, fileMode, fileGroup, state));
}

function openedOrThrow(opened) {
  if (typeof opened === 'string') throw new PickupError(JSON.parse(opened));
  return opened;
}

/** What the options ask for, as the addon's functions take it: of one message, or of many, which are for all their recipients. */
function asked(options, known = SUBMIT_OPTIONS) {
  const isOne = known.length > 0;
  const selected = selection(options, known, isOne ? ['idempotencyKey', 'warnings'] : ['warnings']);
  const [recipient, limit] = selected;
  return [recipient, limit, isOne ? keyOf(options) : undefined, flag(options, 'warnings')];
}

function keyOf(options) {
  const key = options?.idempotencyKey;
  if (key === undefined || key === null) return undefined;
  if (typeof key !== 'string' || !/^[ -~]{1,255}$/.test(key)) {
    throw new TypeError('`idempotencyKey` must have 1 to 255 printable ASCII characters.');
  }
  return key;
}

function receipt(submitted) {
  if (submitted instanceof Error) throw submitted;
  return submitted;
}

/** Whether a message has something to wait for. What is thrown here was thrown before, as the error of that message. */
function mustWait(message) {
  try {
    return isAsync(message);
  } catch {
    return false;
  }
}

/** What a message's own getter throws may be anything. */
function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error('the message could not be read', { cause: thrown });
}

async function collected(messages) {
  const all = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** A list of messages, which one message is not, though a string and bytes have elements. */
function listOf(messages) {
  const isList = typeof messages === 'object' && typeof messages?.[Symbol.iterator] === 'function';
  if (isList && !ArrayBuffer.isView(messages)) return messages;
  if (isAsyncIterable(messages)) throw new TypeError('An asynchronous iterable of messages is for `submitMany`.');
  throw new TypeError('The messages must be an iterable of them, such as an array; one message is for `submit`.');
}

function settings(options) {
  const { durability = 'durable', staging, syncfs = true, fileMode, fileGroup, state } = options;
  refuseOthers(options, OPTIONS);
  if (durability !== 'durable' && durability !== 'none') {
    throw new TypeError("`durability` must be 'durable' or 'none'.");
  }
  if (typeof syncfs !== 'boolean') throw new TypeError('`syncfs` must be true or false.');
  return {
    durable: durability === 'durable',
    staging: staging === undefined ? undefined : pathOf('staging', staging),
    syncfs,
    fileMode: modeOf(fileMode),
    fileGroup: groupOf(fileGroup),
    state: state === undefined ? undefined : pathOf('state', state),
  };
}

/** Permissions as `fs.chmod` takes them, in octal. */
function modeOf(mode) {
  if (mode === undefined) return undefined;
  const isNumber = Number.isInteger(mode) && mode >= 0 && mode <= 0o777;
  if (isNumber) return mode.toString(8);
  if (typeof mode === 'string' && /^(?:0o?)?[0-7]{1,3}$/.test(mode)) return mode;
  throw new TypeError("`fileMode` must be permissions, such as 0o640 or '0640'.");
}

function groupOf(group) {
  if (group === undefined) return undefined;
  if (Number.isInteger(group) && group >= 0 && group < 2 ** 32) return String(group);
  if (typeof group === 'string' && /^[^:\n\0]+$/.test(group)) return group;
  throw new TypeError('`fileGroup` must be the name of a group or its number.');
}

function pathOf(name, value) {
  const path = value instanceof URL ? fileURLToPath(value) : value;
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TypeError(`\`${name}\` must be a path: a string or a file: URL.`);
  }
  return resolve(path);
}

module.exports = { OPTIONS, Pickup, destination, submitTo };
