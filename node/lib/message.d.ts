// Made from the JSON Schema of a message by generate-types.mjs.
//
// Names may also be written in snake_case. `null` and `undefined` are as absent, in objects and in arrays; what has a
// `toJSON` is what that returns, as in JSON.stringify.

/** RFC 3339, or a Date. */
export type DateTime = string | Date;

/** Octets, without a detour over base64. */
export type Octets = Uint8Array | ArrayBuffer | SharedArrayBuffer;

/** A file that travels with the message. */
export interface Attachment {
  /** The name by which the HTML refers to it (`cid:`); makes it inline. */
  cid?: string | null;
  contentId?: string | null;
  /** Base64, unless `encoding` says otherwise; bytes are taken as they are. */
  content?: string | Octets | null;
  /** Its media type; made from the name when absent. */
  contentType?: string | null;
  /** `attachment` or `inline`. */
  disposition?: DispositionWord | null;
  /** How `content` is written: `base64` or `utf8`. */
  encoding?: Encoding | null;
  /** Its name, as the reader shall see it. */
  filename?: string | null;
  /** In multipart/form-data, in place of `content`: the name of the form's part with the file. */
  part?: string | null;
}

/** An invitation or its like (RFC 5546). */
export interface Calendar {
  /** The iCalendar object (RFC 5545), with a METHOD before its first component. */
  content: string;
  /** The iTIP method (RFC 5546), such as REQUEST: that of the content, which may be left to it. */
  method?: string | null;
}

/** How an attachment is shown (RFC 2183). */
export type DispositionWord = 'attachment' | 'inline';

/** Which key signs. */
export interface Dkim {
  /** d= */
  domain?: string | null;
  /** i= */
  identity?: string | null;
  /** key-list= */
  keyList?: string | null;
  /** s= */
  selector?: string | null;
}

/** Delivery status notifications (RFC 3461). */
export interface Dsn {
  /** For which events. */
  notify?: NotifyWord | readonly (NotifyWord | null | undefined)[] | null;
  /** How much of the message comes back: `full` or `headers`. */
  ret?: ReturnWord | null;
}

/** How content is written as a text. */
export type Encoding = 'base64' | 'utf8';

/** A header field of the caller's own, in the list form. */
export interface HeaderObject {
  /** Its name. */
  name: string;
  /** Its body; several make as many fields. */
  value: string | readonly (string | null | undefined)[];
}

/** Header fields of the caller's own: names with their values, or a list of objects. */
export type Headers =
  | { readonly [name: string]: string | readonly (string | null | undefined)[] | null | undefined }
  | readonly (HeaderObject | null | undefined)[];

/** What becomes of a mail merge with recipients that break rules. */
export type InvalidRecipients = 'refuse' | 'skip';

/** A mailbox: `ann@example.com`, `Ann Lee <ann@example.com>`, or an object. */
export type Mailbox = string | MailboxObject;

/** A mailbox as an object. */
export interface MailboxObject {
  /** Its addr-spec. */
  address: string;
  /** Its display name. */
  name?: string | null;
}

/** A mailbox, an array of them, or a text that separates them by commas. */
export type Mailboxes = Mailbox | readonly (Mailbox | null | undefined)[];

/** How a mail merge is written down. */
export type MergeForm = 'native' | 'expanded';

/** The events that are told of (RFC 3461 section 4.1). */
export type NotifyWord = 'never' | 'success' | 'failure' | 'delay';

/** How urgent the sender finds it. */
export type Priority = 'high' | 'normal' | 'low';

/** A finished message (RFC 5322), or an object that says how it is written. */
export type Raw = string | Octets | RawObject;

/** A finished message as an object. */
export interface RawObject {
  /** The message. */
  content: string | Octets;
  /** How `content` is written: `utf8` or `base64`. */
  encoding?: Encoding | null;
}

/** A recipient of a mail merge: a mailbox, or an object with what is this recipient's own. */
export type Recipient = string | RecipientObject;

/** A recipient of a mail merge as an object. */
export interface RecipientObject {
  /** Its addr-spec. */
  address: string;
  /** PowerMTA's custom message id. */
  customMessageId?: string | null;
  /** PowerMTA's envelope id; made when absent. */
  envid?: string | null;
  /**
   * Its own header fields. Each stands in place of the message's fields of this name, or beside the message's others.
   * `To` and `Cc` are shown and deliver nothing.
   */
  headers?: Headers | null;
  /** PowerMTA's job. */
  job?: string | null;
  /** Its display name. */
  name?: string | null;
  /** `high`, `normal` or `low` for the header, or PowerMTA's own priority from 1 to 100. */
  priority?: Priority | number | null;
  /** Envelope sender address; `"<>"` is the null reverse-path. */
  sender?: string | null;
  /** PowerMTA's subaccount id. */
  subaccountId?: string | null;
  /** Values for the template; they win over the message's. */
  variables?: Variables | null;
  /** The virtual MTA, or pool, to send through. */
  vmta?: string | null;
}

/** How much of the message comes back (RFC 3461 section 4.3). */
export type ReturnWord = 'full' | 'headers';

/** How the texts of a message are read. */
export type TemplateLanguage = 'none' | 'merge' | 'jinja' | 'sparkpost';

/** Ways to leave the list. */
export interface Unsubscribe {
  /** An address to which a mail is sent. */
  mailto?: string | null;
  /** Whether one POST to `url` is enough (RFC 8058). */
  oneClick?: boolean | null;
  /** A web address. */
  url?: string | null;
}

/** Values for the template, by their names. */
export type Variables = { readonly [name: string]: unknown };

/** A time in which the message may be delivered. */
export interface Window {
  /** RFC 3339. */
  end: DateTime;
  /** RFC 3339. */
  start: DateTime;
}

/** One message. */
export interface MessageFields {
  /** The text/x-amp-html body. */
  amp?: string | null;
  /** Files that travel with the message. */
  attachments?: readonly (Attachment | null | undefined)[] | null;
  /** Envelope alone. */
  bcc?: Mailboxes | null;
  /** An iCalendar object (RFC 5545) as a text/calendar body. */
  calendar?: Calendar | null;
  /** Cc and envelope. */
  cc?: Mailboxes | null;
  /** PowerMTA's custom message id, in a mail merge. */
  customMessageId?: string | null;
  /** Date, in RFC 3339; the present when absent. */
  date?: DateTime | null;
  /** Which key signs. */
  dkim?: Dkim | null;
  /** Delivery status notifications (RFC 3461). */
  dsn?: Dsn | null;
  /** PowerMTA's envelope id; the receipt's id when absent. Where texts are templates, so is this. */
  envid?: string | null;
  /** The From mailbox. */
  from?: Mailbox | null;
  /**
   * Further header fields, in order. One that has a field of its own here is read as that. In a mail merge, `Cc` is
   * shown and delivers nothing.
   */
  headers?: Headers | null;
  /** The text/html body. */
  html?: string | null;
  /** In-Reply-To: one or several message identifiers. */
  inReplyTo?: string | readonly (string | null | undefined)[] | null;
  /** Whether the style sheets of `html` are put into the `style` attributes of what they apply to. */
  inlineCss?: boolean | null;
  /**
   * What becomes of a merge with recipients that break rules: `refuse` (when absent; nothing is submitted) or `skip`
   * (the others get their messages, and the receipt lists those).
   */
  invalidRecipients?: InvalidRecipients | null;
  /** PowerMTA's job. */
  job?: string | null;
  /** The form of a merge: `native` (when absent; PowerMTA's own) or `expanded` (a file for each recipient). */
  merge?: MergeForm | null;
  /** Message-ID, with or without angle brackets; made when absent. */
  messageId?: string | null;
  /** MJML, of which the text/html body is made. In place of `html`. */
  mjml?: string | null;
  /** `high`, `normal` or `low`. */
  priority?: Priority | null;
  /** A whole RFC 5322 message, sent as it is. Of the other fields only those of the envelope go with it. */
  raw?: Raw | null;
  /** One personal message each: mail merge. In place of `to`, `cc` and `bcc`. An iterable is read once. */
  recipients?: Iterable<Recipient | null | undefined> | null;
  /** References, oldest first. */
  references?: string | readonly (string | null | undefined)[] | null;
  /** Reply-To. */
  replyTo?: Mailboxes | null;
  /** When the message may be delivered. */
  schedule?: readonly (Window | null | undefined)[] | null;
  /** Who gets a copy of the first recipient's message of a merge. */
  seeds?: Mailboxes | null;
  /** Envelope sender address, that of `from` when absent; `"<>"` is the null reverse-path. */
  sender?: string | null;
  /** PowerMTA's subaccount id, in a mail merge. */
  subaccountId?: string | null;
  /** Subject. */
  subject?: string | null;
  /** How texts are read: `none` (when absent), `merge`, `jinja` or `sparkpost`. */
  template?: TemplateLanguage | null;
  /** The text/plain body. */
  text?: string | null;
  /** Whether the text/plain body is made from `html`. In place of `text`. */
  textFromHtml?: boolean | null;
  /** To and envelope. */
  to?: Mailboxes | null;
  /** List-Unsubscribe. */
  unsubscribe?: Unsubscribe | null;
  /** Values for the template that all recipients share. */
  variables?: Variables | null;
  /** Whether each recipient gets a bounce address of its own. */
  verp?: boolean | null;
  /** The virtual MTA, or pool, to send through. */
  vmta?: string | null;
}

/** Either `from` or `raw` must be there. */
export type Message = ({ from: Mailbox } | { raw: Raw }) & MessageFields;
