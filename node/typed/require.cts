import nodemailer = require('nodemailer');
import pmtaemail = require('pmtaemail');
import pmtaemailTransport = require('pmtaemail/nodemailer');
import testing = require('pmtaemail/testing');

const message: pmtaemail.Message = { from: 'a@example.com', to: 'b@example.com' };
const receipt: pmtaemail.Receipt = new pmtaemail.Pickup('/var/spool/pickup').submitSync(pmtaemail.render(message));
const transport = nodemailer.createTransport(pmtaemailTransport({ pickup: '/var/spool/pickup' }));
transport.sendMail({ to: 'b@example.com' }, (error, info) => {
  console.log(error, (info as pmtaemailTransport.Info).receipt.id, receipt);
});
const outbox: testing.Outbox = testing.capture();
console.log(outbox.messages[0]?.text);
