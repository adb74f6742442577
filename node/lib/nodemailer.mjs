import pmtaemailTransport from './nodemailer.js';

export const { PickupTransport } = pmtaemailTransport;
export default pmtaemailTransport;
