/** An address with its display name. */
export interface MailboxObject {
  name?: string | null;
  address: string;
}

/** `ann@example.com`, `Ann Lee <ann@example.com>`, or an object. */
export type Mailbox = string | MailboxObject;

/** A mailbox, an array of them, or a string that separates them by commas. */
export type Mailboxes = Mailbox | readonly (Mailbox | null | undefined)[];

/** RFC 3339, or a Date. */
export type DateTime = string | Date;

/** Octets, without a detour over base64. */
export type Octets = Uint8Array | ArrayBuffer | SharedArrayBuffer;

export interface Attachment {
  /** The name under which it is saved. */
  filename?: string | null;
  /** Octets as they are, or a string: base64 unless `encoding` is `utf8`. */
  content?: string | Octets | null;
  encoding?: 'base64' | 'utf8' | null;
  /** In a form over HTTP: the file part that is the content. */
  part?: string | null;
  /** Told from the file name when absent. */
  contentType?: string | null;
  /** What the html calls it (`cid:…`); makes it inline. */
  cid?: string | null;
  contentId?: string | null;
  disposition?: 'attachment' | 'inline' | null;
}

export interface Calendar {
  /** The iTIP method (RFC 5546). */
  method?: string | null;
  /** An iCalendar object (RFC 5545). */
  content: string;
}

export interface Unsubscribe {
  url?: string | null;
  mailto?: string | null;
  /** Whether one POST to `url` is enough (RFC 8058). */
  oneClick?: boolean | null;
}

/** Further header fields, in order. */
export type Headers =
  | { readonly [name: string]: string | readonly string[] | null | undefined }
  | readonly { name: string; value: string | readonly string[] }[];

export interface Dkim {
  selector?: string | null;
  domain?: string | null;
  identity?: string | null;
  keyList?: string | null;
}

export interface Window {
  start: DateTime;
  end: DateTime;
}

export interface Dsn {
  notify?: NotifyWord | readonly NotifyWord[] | null;
  ret?: 'full' | 'headers' | null;
}

export type NotifyWord = 'never' | 'success' | 'failure' | 'delay';

/** A finished message (RFC 5322): text or octets, or text that says how it is written. */
export type Raw = string | Octets | { content: string | Octets; encoding?: 'base64' | 'utf8' | null };

/** A recipient of a mail merge: a mailbox, or an object with what is this recipient's own. */
export type Recipient = string | RecipientObject;

export interface RecipientObject extends MailboxObject {
  /** They win over the message's. */
  variables?: Variables | null;
  /** The envelope's sender; `<>` for none. */
  sender?: string | null;
  /** Made when absent. */
  envid?: string | null;
  job?: string | null;
  vmta?: string | null;
  /** A word for the header, or PowerMTA's own priority from 1 to 100. */
  priority?: 'high' | 'normal' | 'low' | number | null;
}

/**
 * Values for the template. `null` and `undefined` are as absent, a Date is its ISO 8601; what has a `toJSON` is what
 * that returns.
 */
export interface Variables {
  readonly [name: string]: unknown;
}

/** Either `from` or `raw` must be there. */
export type Message = ({ from: Mailbox } | { raw: Raw }) & MessageFields;

/** One message. Names may also be written in snake_case. `null` and `undefined` are as absent. */
export interface MessageFields {
  from?: Mailbox | null;
  /** The envelope's sender; `<>` for none. `from`'s address when absent. */
  sender?: string | null;
  to?: Mailboxes | null;
  cc?: Mailboxes | null;
  /** In the envelope alone. */
  bcc?: Mailboxes | null;
  replyTo?: Mailboxes | null;
  subject?: string | null;
  text?: string | null;
  html?: string | null;
  amp?: string | null;
  attachments?: readonly (Attachment | null | undefined)[] | null;
  calendar?: Calendar | null;
  headers?: Headers | null;
  unsubscribe?: Unsubscribe | null;
  /** The present when absent. */
  date?: DateTime | null;
  /** Made when absent. */
  messageId?: string | null;
  inReplyTo?: string | readonly string[] | null;
  references?: string | readonly string[] | null;
  priority?: 'high' | 'normal' | 'low' | null;
  /** PowerMTA's envelope id. */
  envid?: string | null;
  /** PowerMTA's job. */
  job?: string | null;
  /** PowerMTA's virtual MTA, or a pool of them. */
  vmta?: string | null;
  /** Which key PowerMTA signs with. */
  dkim?: Dkim | null;
  /** When PowerMTA may deliver. */
  schedule?: readonly Window[] | null;
  /** A bounce address for each recipient. */
  verp?: boolean | null;
  /** Delivery status notifications (RFC 3461). */
  dsn?: Dsn | null;
  /** One personal message each: mail merge. In place of `to`, `cc` and `bcc`. An iterable is read once. */
  recipients?: Iterable<Recipient | null | undefined> | null;
  /** Values for the template that all recipients share. */
  variables?: Variables | null;
  /** How texts are read; `none` when absent. */
  template?: 'none' | 'merge' | 'jinja' | null;
  /** The form of a merge: PowerMTA's own, or a file for each recipient. `native` when absent. */
  merge?: 'native' | 'expanded' | null;
  /** Sent as it is, after checks; only fields of the envelope may stand beside it. */
  raw?: Raw | null;
}
