'use strict';

const native = require('./native.js');
const { MessageError, PickupError } = require('./errors.js');
const { Pickup } = require('./pickup.js');
const { Encoder, isAsync, withMessage } = require('./encoder.js');

/** The problems of a message; none if it may be sent. */
function check(message) {
  try {
    const problems = withMessage(message, native.check);
    return problems === null ? [] : JSON.parse(problems).problems;
  } catch (error) {
    if (error instanceof MessageError) return error.problems;
    throw error;
  }
}

/** What breaks no rule in a message and may yet not be meant. */
function warnings(message) {
  try {
    return JSON.parse(withMessage(message, native.warnings));
  } catch (error) {
    // What no message can hold is a problem, which `check` tells.
    if (error instanceof MessageError) return [];
    throw error;
  }
}

/** The bytes of a message as it is sent (RFC 5322). */
function render(message) {
  return bytes(withMessage(message, (...encoded) => native.render(...encoded, Buffer.allocUnsafe)));
}

/** The same on another thread, for large messages. */
async function renderAsync(message) {
  if (!isAsync(message)) return bytes(await withMessage(message, native.renderLater));
  const encoder = new Encoder();
  await encoder.addAsync(message);
  return bytes(await native.renderLater(...encoder.arguments()));
}

function bytes(rendered) {
  if (typeof rendered === 'string') {
    const { problems, total } = JSON.parse(rendered);
    throw new MessageError(problems, total);
  }
  return rendered;
}

module.exports = {
  check,
  warnings,
  render,
  renderAsync,
  Pickup,
  MessageError,
  PickupError,
  version: native.version(),
};
