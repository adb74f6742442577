'use strict';

const native = require('./native.js');
const { IdempotencyError, MessageError, PickupError } = require('./errors.js');
const { Pickup } = require('./pickup.js');
const { Encoder, isAsync, withMessage } = require('./encoder.js');
const { flag, selection } = require('./options.js');

const RENDER_OPTIONS = ['recipient'];

/** The problems of a message; none if it may be sent. With `strict`, its warnings then. */
function check(message, options) {
  selection(options, [], ['strict']);
  const isStrict = flag(options, 'strict');
  try {
    const [problems, warnings] = withMessage(message, (...encoded) => {
      const problems = native.check(...encoded);
      return [problems, isStrict && problems === null ? native.warnings(...encoded) : '[]'];
    });
    return problems === null ? JSON.parse(warnings) : JSON.parse(problems).problems;
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

/** The bytes of a message as it is sent (RFC 5322); of a mail merge, those of one recipient. */
function render(message, options) {
  const [recipient] = selection(options, RENDER_OPTIONS);
  return bytes(withMessage(message, (...encoded) => native.render(...encoded, Buffer.allocUnsafe, recipient)));
}

/** The same on another thread, for large messages. */
async function renderAsync(message, options) {
  const [recipient] = selection(options, RENDER_OPTIONS);
  if (!isAsync(message)) return bytes(await withMessage(message, (...encoded) => native.renderLater(...encoded, recipient)));
  const encoder = new Encoder();
  await encoder.addAsync(message);
  return bytes(await native.renderLater(...encoder.arguments(), recipient));
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
  IdempotencyError,
  MessageError,
  PickupError,
  version: native.version(),
};
