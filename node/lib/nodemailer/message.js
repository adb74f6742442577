'use strict';

// From nodemailer's words to ours.

const { decodeWords } = require('./encoded-words.js');
const { headers, hidePowermta, ids, powermta, priority, repeatsCompiled, subject } = require('./headers.js');
const { attachments, isOnlyForNodemailer, list, readStreams, text } = require('./content.js');

const ADDRESSES = ['from', 'to', 'cc', 'bcc', 'reply-to'];

/** What only nodemailer's own writer can write. */
function mustBeRaw(mail, check) {
  const { data, mailer, message } = mail;
  return Boolean(
    data.raw ||
      data.otp ||
      data.normalizeHeaderKey ||
      isOnlyForNodemailer(data) ||
      message.getHeader('sender') ||
      hasGroup(message) ||
      message._parseAddresses(message.getHeader('from')).length > 1 ||
      !addressesItsHeader(mail) ||
      repeatsCompiled(data) ||
      // Whoever changes the message after it was compiled: DKIM, and plugins of the step `stream`.
      data.dkim ||
      mailer.dkim ||
      mailer._userPlugins?.stream?.length ||
      message._transforms?.length ||
      message._processFuncs?.length ||
      hasReservedHeader(mail, check),
  );
}

/** A message must have From (RFC 5322, section 3.6); nodemailer does not ask for it where there is an envelope. */
function takeFromOfEnvelope({ data, message }, envelope) {
  if (data.envelope && !data.raw && envelope.from && !message.getHeader('from')) message.setHeader('From', envelope.from);
}

/** The message as nodemailer writes it, or as the caller wrote it. */
async function rawMessage(mail, envelope) {
  const { data, message } = mail;
  const chosen = powermta(data);
  hidePowermta(mail);
  const chunks = [];
  for await (const chunk of message.createReadStream()) chunks.push(chunk);
  return compact({
    sender: reversePath(envelope),
    to: envelope.to,
    raw: Buffer.concat(chunks),
    ...chosen,
    ...dsn(data.dsn || envelope.dsn),
    ...data.pmtaemail,
  });
}

/** The message in our own fields. */
async function nativeMessage(mail, envelope) {
  // nodemailer fills in what is absent.
  const given = list(mail.data.attachments).map((attachment) => ({ ...attachment }));
  await readStreams(mail.data);
  const data = await new Promise((resolve, reject) => {
    mail.resolveAll((error, resolved) => (error ? reject(error) : resolve(resolved)));
  });
  return compact({
    sender: data.envelope && reversePath(envelope),
    from: mailbox(data.from),
    to: data.to?.map(mailbox),
    cc: data.cc?.map(mailbox),
    bcc: data.bcc?.map(mailbox),
    replyTo: data.replyTo?.map(mailbox),
    subject: subject(mail.message),
    date: data.date && new Date(data.date),
    // Not the one that nodemailer makes: the core's is that of the receipt, and in a mail merge each message has its own.
    messageId: data.messageId && String(data.messageId),
    inReplyTo: ids(mail.message.getHeader('in-reply-to')),
    references: ids(mail.message.getHeader('references')),
    priority: priority(data.priority),
    headers: headers(mail),
    text: text(data.text),
    html: text(data.html),
    amp: text(data.amp),
    ...attachments(data, given),
    ...powermta(data),
    ...dsn(data.dsn || envelope.dsn),
    // Fields that nodemailer has no word for: `vmta`, `job`, `schedule`, …
    ...data.pmtaemail,
  });
}

function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

/** A name may be encoded already. */
function mailbox(parsed) {
  return parsed?.name ? { ...parsed, name: decodeWords(parsed.name) } : parsed;
}

/** `Team: ann@example.org, bob@example.org;`; nodemailer takes it without the semicolon too. */
function hasGroup(message) {
  return ADDRESSES.some((name) => message._parseAddresses(message.getHeader(name)).some(({ group }) => group));
}

/** Whether the envelope's recipients are those of the header, as in our messages. */
function addressesItsHeader({ data, message }) {
  if (!data.envelope) return true;
  const header = ['to', 'cc', 'bcc'].flatMap((name) => message._parseAddresses(message.getHeader(name)));
  const set = (list) => [...new Set(list.map((address) => address.toLowerCase()))].sort().join();
  return set(header.map(({ address }) => address ?? '')) === set(message.getEnvelope().to);
}

function reversePath(envelope) {
  return envelope.from || '<>';
}

/** What the core says of header fields that it does not take, or not with such values: nodemailer writes them. */
const NOT_TAKEN = new Set(['reserved_header', 'conflict', 'invalid_choice', 'invalid_date', 'invalid_message_id', 'invalid_unsubscribe']);

/** Which header fields are reserved, or are read as fields of a message, is for the core to say. */
function hasReservedHeader(mail, check) {
  const fields = headers(mail);
  if (fields.length === 0) return false;
  const problems = check({ from: 'a@example.com', to: 'b@example.com', headers: fields });
  return problems.some(({ code }) => NOT_TAKEN.has(code));
}

/** nodemailer's words for RFC 3461. */
function dsn(options) {
  if (!options) return {};
  const { id, envid = id, ret, return: returned = ret, notify } = options;
  const words = typeof notify === 'string' ? notify.split(',') : notify;
  const full = { hdrs: 'headers', body: 'full' };
  const part = returned && String(returned).toLowerCase();
  return compact({
    envid: envid && String(envid),
    dsn: compact({
      notify: words?.map((word) => String(word).trim().toLowerCase()),
      ret: part && (full[part] ?? part),
    }),
  });
}

module.exports = { mustBeRaw, nativeMessage, rawMessage, takeFromOfEnvelope };
