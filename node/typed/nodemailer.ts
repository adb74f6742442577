// Compiles with every nodemailer that is supported, and the types of it.

import nodemailer, { type SendMailOptions, type Transporter } from 'nodemailer';
import { Pickup } from 'pmtaemail';
import pmtaemailTransport, { PickupTransport, type Info, type MailFields, type Options } from 'pmtaemail/nodemailer';

const options: Options = { pickup: new Pickup('/var/spool/pickup') };
export const any: Transporter = nodemailer.createTransport(pmtaemailTransport(options));
const transporter = nodemailer.createTransport(new PickupTransport({ pickup: 'pickup' }), { from: 'a@example.com' });
const mail: SendMailOptions & MailFields = { to: 'b@example.com', text: 'Hello', pmtaemail: { vmta: 'pool-a' } };

async function* rows(): AsyncGenerator<{ address: string }> {
  yield { address: 'ann@example.org' };
}
export const merges: (SendMailOptions & MailFields)[] = [
  { from: 'a@example.com', pmtaemail: { template: 'merge', recipients: rows() } },
  { from: 'a@example.com', pmtaemail: { template: 'merge', recipients: ['ann@example.org'] } },
];

export async function send(): Promise<string[]> {
  const info = (await transporter.sendMail(mail)) as Info;
  transporter.sendMail(mail, (error, info) => console.log(error?.message, (info as Info).receipt.id));
  const verified: true = await transporter.verify();
  transporter.close();
  // @ts-expect-error: it is a text
  const number: number = info.receipt.id;
  return [info.receipt.id, info.messageId, info.response, ...info.accepted, ...info.rejected, ...info.envelope.to, String([verified, number])];
}

// @ts-expect-error: a pool has a name
export const wrong: SendMailOptions & MailFields = { pmtaemail: { vmta: 1 } };
// @ts-expect-error: there is no such option
pmtaemailTransport({ pikcup: 'pickup' });
