import type { AsyncMessage, MessageFields, Pickup, PickupOptions, Receipt } from './index';

// No name of nodemailer's types is used here: they differ from version to version, and may be absent. TypeScript compares
// by structure, so `createTransport` takes this transport in all of them.

/** A transport for nodemailer: `nodemailer.createTransport(pmtaemail({ pickup }))`. */
declare function pmtaemailTransport(options: pmtaemailTransport.Options): pmtaemailTransport.PickupTransport;

declare namespace pmtaemailTransport {
  interface Options extends PickupOptions {
    /** A pickup directory, open or to be opened with the other options. */
    pickup: Pickup | string | URL;
  }

  /**
   * What a mail may have besides nodemailer's own fields:
   * `const mail: SendMailOptions & MailFields = { …, pmtaemail: { vmta: 'pool-a' } }`.
   */
  interface MailFields {
    /** Fields of pmtaemail that nodemailer has no word for: `vmta`, `job`, `schedule`, … They override nodemailer's. */
    pmtaemail?: MessageFields | (Omit<MessageFields, 'recipients'> & { recipients: AsyncMessage['recipients'] }) | undefined;
  }

  /**
   * nodemailer's info, with the receipt. The types of nodemailer 6 to 9 know the info of SMTP alone; write
   * `(await transporter.sendMail(mail)) as Info` there.
   */
  // A type, not an interface: it must be assignable to nodemailer's own, which has an index signature.
  type Info = {
    envelope: { from: string | false; to: string[] };
    /** With angle brackets; empty for a mail merge, each message of which has its own (`receipt.envids`). */
    messageId: string;
    /** The envelope's recipients; those of a mail merge are not listed. */
    accepted: string[];
    rejected: string[];
    /** Never set: nothing is pending once it was handed over. */
    pending?: string[];
    response: string;
    receipt: Receipt;
  };

  class PickupTransport {
    constructor(options: Options);
    readonly pickup: Pickup;
    name: string;
    version: string;
    /** Called by nodemailer. */
    send(mail: object, callback: (error: Error | null, info: Info) => void): void;
    /** Whether the pickup directory may be read and written. */
    verify(): Promise<true>;
    verify(callback: (error: Error | null, success: true) => void): void;
    isIdle(): boolean;
    close(): void;
  }
}

export = pmtaemailTransport;
