'use strict';

const { getSystemErrorName } = require('node:util');

/** A message breaks rules; `problems` tells which, and where. */
class MessageError extends Error {
  constructor(problems, total = problems.length) {
    super(sentences(problems, total).join('\n'));
    /** The code of the first problem. */
    this.code = problems[0].code;
    this.problems = problems;
    /** How many problems there are, with those that are left out because there are very many. */
    this.total = total;
  }
}

/** Files could not be handed over to PowerMTA. */
class PickupError extends Error {
  constructor({ message, operation, path, errno, mayBeDelivered, id }) {
    super(message);
    /** The name of the system's error, such as `ENOSPC`. */
    this.code = errno === null ? 'ERR_PICKUP' : getSystemErrorName(-errno);
    if (errno !== null) this.errno = -errno;
    this.path = path;
    this.operation = operation;
    /** Whether PowerMTA may have the message in spite of the error. Look for `id` before you try again. */
    this.mayBeDelivered = mayBeDelivered;
    /** The submission's, after which its files are named. */
    if (id !== null) this.id = id;
  }
}

/** An idempotency key cannot be used; nothing was submitted. */
class IdempotencyError extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

for (const error of [MessageError, PickupError, IdempotencyError]) {
  Object.defineProperty(error.prototype, 'name', { value: error.name, configurable: true, writable: true });
}

function sentences(problems, total) {
  const told = problems.map(sentence);
  const cut = `The message has ${total} problems; the first ${told.length} are listed.`;
  return total > told.length ? [...told, cut] : told;
}

function sentence({ code, pointer, detail }) {
  return `${pointer === '' ? '(message)' : pointer}: ${code}: ${detail}`;
}

module.exports = { IdempotencyError, MessageError, PickupError };
