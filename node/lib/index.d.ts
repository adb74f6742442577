// `Buffer` is Node's; TypeScript 6 and later do not load its types unless told to.
/// <reference types="node" />

import type { Message, MessageFields, Recipient } from './message';

export type * from './message';

/** A message as an object, or as the text or the bytes of its JSON. */
export type MessageInput = Message | string | Uint8Array | ArrayBuffer;

/**
 * A mail merge whose recipients are read as they come: from an async generator, a stream of objects, the rows of a
 * database. The next is asked for when the one before it was taken, and the source is closed where reading ends early.
 */
export type AsyncMessage = Omit<MessageFields, 'from' | 'recipients'> & {
  from: NonNullable<MessageFields['from']>;
  recipients: AsyncIterable<Recipient | null | undefined>;
};

/** One thing that is wrong with a message. */
export interface Problem {
  /** The kind of problem, for programs; codes never change. */
  code: string;
  /** Where: a JSON Pointer (RFC 6901) into the message; the empty one is the whole of it. */
  pointer: string;
  /** One sentence for people, which never repeats a value of the message. */
  detail: string;
}

/** A recipient of a mail merge who gets nothing: it breaks a rule, and `invalidRecipients` is `skip`. */
export interface Rejected {
  /** The index of the recipient, counted from 0 in the given order. */
  index: number;
  /** Where the first rule is broken: a JSON Pointer (RFC 6901) into the message. */
  pointer: string;
  /** The code of that rule, as in a problem. */
  code: string;
}

/** The result of submitting a message. */
export interface Receipt {
  /** Unique, and sorts by time. */
  id: string;
  /** Without angle brackets; absent for a mail merge, each message of which has its own. */
  messageId?: string;
  /** Names of the files. */
  files: string[];
  /** How many different recipients there are. */
  recipients: number;
  /** Only for a mail merge with `seeds`: how many different ones got a copy. They do not count as recipients. */
  seeds?: number;
  /** The size of all files. */
  octets: number;
  /** It was already submitted with the same idempotency key, and was not submitted again. */
  replayed?: true;
  /** Only for a mail merge: the envelope ids of the recipients in their order, null where one was given. */
  envids?: (string | null)[];
  /** Only for a mail merge with `invalidRecipients: 'skip'`: who gets nothing. They are in neither of the above. */
  rejected?: Rejected[];
  /** What is allowed in the message but may be a mistake, if `warnings` asks for it. */
  warnings?: Problem[];
  /**
   * Only for a mail merge: the identifiers of each recipient's message, in their order. Made while it is iterated over, so
   * a million of them take no memory; not in the receipt's JSON.
   */
  readonly recipientReceipts?: Iterable<RecipientReceipt>;
}

/** The identifiers of one recipient's message of a mail merge. */
export interface RecipientReceipt {
  /** Which of the recipients, counted from 0. */
  index: number;
  /** The envelope ID, which bounces and accounting contain: given, or generated. */
  envid: string;
  /** The Message-ID without angle brackets. */
  messageId: string;
}

/** A message breaks rules. */
export class MessageError extends Error {
  constructor(problems: readonly Problem[], total?: number);
  name: 'MessageError';
  /** The code of the first problem. */
  code: string;
  /** Everything that is wrong, in document order; of very many problems the first 1,000. */
  problems: Problem[];
  /** How many problems there are in all. */
  total: number;
}

/** A message could not be submitted. */
export class PickupError extends Error {
  private constructor();
  name: 'PickupError';
  /** The name of the system's error, such as `ENOSPC`; `ERR_PICKUP` where the system had none. */
  code: string;
  /** The number of the system's error, negative as Node has it. */
  errno?: number;
  /** The file or directory. */
  path: string;
  /** What was tried. */
  operation: string;
  /** Whether PowerMTA may have the message despite the error. Look for `id` before you try again. */
  mayBeDelivered: boolean;
  /** The submission's identifier, by which its files are named, and its Message-ID unless the message gives one. */
  id?: string;
}

/** An idempotency key cannot be used; nothing was submitted. */
export class IdempotencyError extends Error {
  private constructor();
  name: 'IdempotencyError';
  /**
   * `ERR_KEY_CONFLICT`: another message was submitted with it. `ERR_KEY_IN_WORK`: its first submission is in
   * progress, try again later. `ERR_KEYS_FULL`: the store of keys has no room for another.
   */
  code: 'ERR_KEY_CONFLICT' | 'ERR_KEY_IN_WORK' | 'ERR_KEYS_FULL';
}

export interface PickupOptions {
  /** `durable` (the default): what is submitted survives a power failure. `none`: nothing is synced. */
  durability?: 'durable' | 'none';
  /**
   * Where several files of one submission wait until all are submitted, or none; on the same file system. Files
   * that a killed process had decided to submit are moved on from there.
   */
  staging?: string | URL;
  /** Whether many files may be made durable by a sync of their whole file system; true by default. */
  syncfs?: boolean;
  /** The permissions of pickup files, regardless of the umask: `0o640`, or octal digits. Unix only. */
  fileMode?: number | string;
  /** The group of pickup files, by name or number; the process must be a member of it. Unix only. */
  fileGroup?: string | number;
  /** The folder of the store of idempotency keys, by default next to the staging folder; only one process at a time can use it. */
  state?: string | URL;
}

export interface CheckOptions {
  /** Whether the warnings of a message without problems are returned as problems. */
  strict?: boolean;
}

export interface RenderOptions {
  /** The recipient of a mail merge whose message to render, counted from 1 in the given order; the first by default. */
  recipient?: number;
}

/**
 * For a test of a mail merge: who gets it, `recipient` or `limit`. All recipients are validated in any case.
 */
export interface SubmitOptions {
  /**
   * 1 to 255 printable ASCII characters. A message that was submitted with it in the last 24 hours is not submitted
   * again: its receipt is returned again, with `replayed`. If that was another message, this is an IdempotencyError.
   */
  idempotencyKey?: string;
  /** Only the recipient with this number, counted from 1 as the recipients were given. */
  recipient?: number;
  /** Only this many recipients from the start, not counting skipped ones. */
  limit?: number;
  /** Whether the receipt has the message's `warnings`. */
  warnings?: boolean;
}

export interface SubmitManyOptions {
  /** Whether receipts have their messages' `warnings`. */
  warnings?: boolean;
}

/**
 * PowerMTA's pickup directory. Open it once and use it from everywhere: what is submitted at the same time is made
 * durable together.
 */
export class Pickup {
  /** @throws {PickupError} if the directory cannot be used. */
  constructor(directory: string | URL, options?: PickupOptions);
  /**
   * A pickup in memory, for the tests of an application. It does everything that one on disk does, but sends
   * nothing. It holds 256 MiB; beyond that a submission is a PickupError.
   */
  static memory(): MemoryPickup;
  /** The absolute path of the directory; `:memory:` for one in memory. */
  readonly path: string;
  /**
   * Submits a message. The promise resolves once the message is durable, and rejects with a MessageError or a
   * PickupError. As with Node's own functions, leave a message's bytes as they are until then. Each file of a large
   * mail merge is written as soon as it is made: they are never all in memory. If an iterable of recipients throws,
   * nothing is submitted, and the promise rejects with what it threw.
   */
  submit(message: MessageInput | AsyncMessage, options?: SubmitOptions): Promise<Receipt>;
  /**
   * Submits the message before it returns.
   * @throws {MessageError | PickupError}
   */
  submitSync(message: MessageInput, options?: SubmitOptions): Receipt;
  /**
   * Submits messages: a receipt or an error for each, in their order. The promise does not reject for a message, but
   * if the iterable itself throws, and then nothing is submitted: it is read to its end first. Leave the messages
   * as they are until the promise resolves.
   */
  submitMany(
    messages: Iterable<MessageInput | AsyncMessage> | AsyncIterable<MessageInput | AsyncMessage>,
    options?: SubmitManyOptions,
  ): Promise<(Receipt | Error)[]>;
  /** The same before it returns. */
  submitManySync(messages: Iterable<MessageInput>, options?: SubmitManyOptions): (Receipt | Error)[];
}

/** A pickup in memory, which `Pickup.memory()` makes. */
export interface MemoryPickup extends Pickup {
  /** What was submitted, in order: one for all its recipients, or in a mail merge one for each. */
  readonly messages: SentMessage[];
  /** Forgets what was submitted, but not the idempotency keys that it was submitted under. */
  clear(): void;
}

/** A message that was submitted, read from the bytes that a mail program gets, not from what the application gave. */
export interface SentMessage {
  /** The receipt's `id`. */
  id?: string;
  /** What PowerMTA is told in addition to the message. */
  envelope: SentEnvelope;
  /** The mailboxes in From. */
  from: SentMailbox[];
  /** The mailboxes in To. */
  to: SentMailbox[];
  /** The mailboxes in Cc. */
  cc: SentMailbox[];
  /** Those who get the message and are neither in To nor in Cc; their names are not known. */
  bcc: SentMailbox[];
  /** The mailboxes in Reply-To. */
  replyTo: SentMailbox[];
  subject?: string;
  /** Without angle brackets. */
  messageId?: string;
  /** Lines end with `\n`, except the last one. */
  text?: string;
  /** Lines as those of the text. */
  html?: string;
  /** The AMP source, lines as those of the text. */
  amp?: string;
  /** The invitation, lines as those of the text. */
  calendar?: string;
  /** The fields of the header section, in order. */
  headers: SentHeader[];
  /** All files in it, including inline images. */
  attachments: SentAttachment[];
  /** The message as it is sent (RFC 5322). */
  octets: Buffer;
  /** The value of the first header field with this name, ignoring case. */
  header(name: string): string | undefined;
}

/** A mailbox in a header field. */
export interface SentMailbox {
  /** Empty if there is none. */
  name: string;
  /** The bare address. */
  address: string;
}

/** A header field. */
export interface SentHeader {
  /** As written. */
  name: string;
  /** Unfolded and decoded. */
  value: string;
}

/** A file in a message. */
export interface SentAttachment {
  filename?: string;
  /** The media type in lower case, such as `application/pdf`. */
  type: string;
  /** `attachment` or `inline`. */
  disposition?: string;
  /** Without angle brackets, as `cid:` URLs name it. */
  contentId?: string;
  /** Without its transfer encoding. */
  content: Buffer;
}

/** What PowerMTA is told in addition to the message. */
export interface SentEnvelope {
  /** The address for bounces; empty for the null reverse-path. */
  from: string;
  /** Who gets the message: bare addresses, those of blind copies among them. */
  to: string[];
  /** The envelope id, which bounces and accounting have. */
  envid?: string;
  job?: string;
  /** The virtual MTA or pool. */
  vmta?: string;
  /** Which key signs, as `x-dkim-options` says it. */
  dkim?: string;
  /** Delivery windows, as `x-schedule` says them: in the time zone of the host. */
  schedule?: string;
  /** Of one recipient of a mail merge, 1 to 100. */
  priority?: number;
  /** PowerMTA's `*subaccountid`. */
  subaccountId?: string;
  /** PowerMTA's `*custommessageid`. */
  customMessageId?: string;
  /** What a delivery status notification returns: `FULL` or `HDRS`. */
  ret?: string;
  /** When there is one: `NEVER`, or some of `SUCCESS,FAILURE,DELAY`. */
  notify?: string;
  /** The original recipient, with its address type (RFC 3461); of several recipients that of the first. */
  orcpt?: string;
  /** Each recipient has a reverse-path of its own, which names it. */
  verp?: true;
  /** Addresses and header fields may be UTF-8 (RFC 6531). */
  smtputf8?: true;
}

/** The problems of a message; none if it may be sent. */
export function check(message: MessageInput, options?: CheckOptions): Problem[];

/**
 * What is allowed in a message but may be a mistake: placeholders of other programs, which readers would see
 * (`foreign_placeholder`: `*|X|*`, `%recipient.x%`, `%%x%%`); of HTML `missing_text`, `large_html` (over 102 kB),
 * `missing_alt`, `insecure_link` (without https), `script_link`; and `missing_unsubscribe` with more than 5,000
 * recipients. Templates are checked unrendered. Only `check` says whether the message can be sent.
 */
export function warnings(message: MessageInput): Problem[];

/**
 * The bytes of a message as it is sent (RFC 5322); of a mail merge, those of its first recipient, or of the seventh with
 * `{ recipient: 7 }`. This takes microseconds.
 * @throws {MessageError}
 */
export function render(message: MessageInput, options?: RenderOptions): Buffer;

/** The same on another thread, for messages of many megabytes. */
export function renderAsync(message: MessageInput | AsyncMessage, options?: RenderOptions): Promise<Buffer>;

/** The version of the library. */
export const version: string;
