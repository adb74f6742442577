// nodemailer's own types, from 10 on, know the info of every transport.

import nodemailer from 'nodemailer';
import pmtaemailTransport, { type Info } from 'pmtaemail/nodemailer';

const transporter = nodemailer.createTransport(pmtaemailTransport({ pickup: 'pickup' }));

export async function send(): Promise<Info> {
  transporter.sendMail({ to: 'b@example.com' }, (error, info) => console.log(error?.code, info.receipt.id));
  const info = await transporter.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'Hello' });
  // @ts-expect-error: it is a text
  const number: number = info.receipt.id;
  return number ? info : info;
}
