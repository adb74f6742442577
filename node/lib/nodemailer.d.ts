import type { MailMessage, SentMessageInfo, Transport } from 'nodemailer';
import type { Message, Pickup, Receipt } from './index';

declare module 'nodemailer' {
  interface MailComposerOptions {
    /** Fields of pmtaemail that nodemailer has no word for: `vmta`, `job`, `schedule`, … */
    pmtaemail?: Partial<Message>;
  }
}

/** A transport for nodemailer: `nodemailer.createTransport(pmtaemail({ pickup }))`. */
declare function pmtaemailTransport(options: pmtaemailTransport.Options): pmtaemailTransport.PickupTransport;

declare namespace pmtaemailTransport {
  interface Options {
    /** A pickup directory, open or to be opened. */
    pickup: Pickup | string | URL;
  }

  /** nodemailer's info, with the receipt. */
  interface Info extends SentMessageInfo {
    accepted: string[];
    rejected: string[];
    response: string;
    receipt: Receipt;
  }

  class PickupTransport implements Transport<Info> {
    constructor(options: Options);
    readonly pickup: Pickup;
    name: string;
    version: string;
    send(mail: MailMessage<Info>, callback: (error: Error | null, info?: Info) => void): void;
    verify(): Promise<true>;
    verify(callback: (error: Error | null, success?: true) => void): void;
    isIdle(): boolean;
    close(): void;
  }
}

export = pmtaemailTransport;
