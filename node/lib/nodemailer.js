'use strict';

const { access, constants } = require('node:fs/promises');
const { check, Pickup, version } = require('./index.js');
const native = require('./native.js');
const { refuseOthers } = require('./options.js');
const { OPTIONS, destination, submitTo } = require('./pickup.js');
const { mustBeRaw, nativeMessage, rawMessage, takeFromOfEnvelope } = require('./nodemailer/message.js');

/**
 * A transport for nodemailer that hands messages to PowerMTA:
 * `nodemailer.createTransport(pmtaemail({ pickup: '/var/spool/pickup' }))`.
 */
class PickupTransport {
  name = 'pmtaemail';
  version = version;

  /** `pickup` is open, or a directory to be opened with the other options. */
  constructor(given) {
    const { pickup, ...options } = typeof given === 'object' ? { ...given } : {};
    refuseOthers(options, OPTIONS, ['pickup', ...OPTIONS]);
    if (pickup === undefined || pickup === null) {
      throw new TypeError("Give PowerMTA's pickup directory: `{ pickup: … }`, a path or a Pickup.");
    }
    const isOpen = pickup instanceof Pickup;
    if (isOpen && Object.keys(options).length > 0) throw new TypeError('This `pickup` is open already: it takes no more options.');
    this.pickup = isOpen ? pickup : new Pickup(pickup, options);
  }

  /** Called by nodemailer with a message that is compiled but not yet rendered. */
  send(mail, callback) {
    this.submit(mail).then(
      (info) => callback(null, info),
      (error) => callback(error),
    );
  }

  async submit(mail) {
    // Now, since a test's capture may end while the mail is read.
    const directory = destination(this.pickup);
    if (mail.data.requireTLSExtensionEnabled) throw requireTls();
    const envelope = mail.message.getEnvelope();
    takeFromOfEnvelope(mail, envelope);
    // Where our fields cannot say what the caller wants, nodemailer writes the message and we send it as it is.
    const message = mustBeRaw(mail, check) ? await rawMessage(mail, envelope) : await nativeMessage(mail, envelope);
    const receipt = await submitTo(this.pickup, directory, message);
    return {
      envelope,
      // nodemailer's is always a text.
      messageId: receipt.messageId === undefined ? '' : `<${receipt.messageId}>`,
      accepted: [...envelope.to],
      rejected: [],
      response: `handed over as ${receipt.id}`,
      receipt,
    };
  }

  /** Whether the pickup directory may be read and written. */
  verify(callback) {
    const verified = canUse(this.pickup);
    if (callback === undefined) return verified;
    verified.then((result) => callback(null, result), callback);
  }

  isIdle() {
    return true;
  }

  close() {}
}

async function canUse(pickup) {
  const path = native.destinationPath(destination(pickup));
  if (path !== ':memory:') await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  return true;
}

/** What must go out encrypted (RFC 8689) must not go out otherwise: PowerMTA cannot be told so in a file. */
function requireTls() {
  const error = new Error('REQUIRETLS cannot be asked for through a pickup directory: set it for the domain in PowerMTA, and leave out `requireTLSExtensionEnabled`.');
  return Object.assign(error, { code: 'EREQUIRETLS' });
}

module.exports = (options) => new PickupTransport(options);
module.exports.PickupTransport = PickupTransport;
