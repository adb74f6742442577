// Without @types/nodemailer.

// @ts-expect-error: no types are found
import nodemailer from 'nodemailer';
import pmtaemailTransport, { type MailFields, PickupTransport } from 'pmtaemail/nodemailer';

const mail: MailFields = { pmtaemail: { job: 'spring' } };
export const transport: PickupTransport = pmtaemailTransport({ pickup: 'pickup' });
nodemailer.createTransport(transport).sendMail(mail);
