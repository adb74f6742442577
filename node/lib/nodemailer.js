'use strict';

const { access, constants } = require('node:fs/promises');
const { check, Pickup, version } = require('./index.js');
const { mustBeRaw, nativeMessage, rawMessage } = require('./nodemailer/message.js');

/**
 * A transport for nodemailer that hands messages to PowerMTA:
 * `nodemailer.createTransport(pmtaemail({ pickup: '/var/spool/pickup' }))`.
 */
class PickupTransport {
  name = 'pmtaemail';
  version = version;

  constructor({ pickup }) {
    this.pickup = pickup instanceof Pickup ? pickup : new Pickup(pickup);
  }

  /** Called by nodemailer with a message that is compiled but not yet rendered. */
  send(mail, callback) {
    this.submit(mail).then(
      (info) => callback(null, info),
      (error) => callback(error),
    );
  }

  async submit(mail) {
    const envelope = mail.message.getEnvelope();
    // Where our fields cannot say what the caller wants, nodemailer writes the message and we send it as it is.
    const message = mustBeRaw(mail, check) ? await rawMessage(mail, envelope) : await nativeMessage(mail, envelope);
    const receipt = await this.pickup.submit(message);
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
    const verified = access(this.pickup.path, constants.R_OK | constants.W_OK | constants.X_OK).then(() => true);
    if (callback === undefined) return verified;
    verified.then((result) => callback(null, result), callback);
  }

  isIdle() {
    return true;
  }

  close() {}
}

module.exports = (options) => new PickupTransport(options);
module.exports.PickupTransport = PickupTransport;
