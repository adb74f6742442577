import pmtaemailTransport from './nodemailer.js';

export type Info = pmtaemailTransport.Info;
export type MailFields = pmtaemailTransport.MailFields;
export type Options = pmtaemailTransport.Options;
export import PickupTransport = pmtaemailTransport.PickupTransport;
export default pmtaemailTransport;
