'use strict';

const native = require('./native.js');

// From nodemailer's words to ours.

/** What only nodemailer's own writer can write. */
function mustBeRaw(mail, check) {
  const { data, mailer, message } = mail;
  return Boolean(
    data.raw ||
      data.sender ||
      data.watchHtml ||
      data.otp ||
      data.normalizeHeaderKey ||
      data.alternatives?.length ||
      list(data.attachments).some((attachment) => attachment.raw || attachment.headers) ||
      list(data.icalEvent).some((event) => event.raw || event.headers) ||
      list(data.from).length > 1 ||
      hasGroup(data) ||
      !addressesItsHeader(mail) ||
      // Whoever changes the message after it was compiled: DKIM, and plugins of the step `stream`.
      data.dkim ||
      mailer.dkim ||
      mailer._userPlugins?.stream?.length ||
      message._transforms?.length ||
      message._processFuncs?.length ||
      hasReservedHeader(mail, check),
  );
}

/** The message as nodemailer writes it, or as the caller wrote it; Date and Message-ID are added where they are missing. */
async function rawMessage({ data, message }, envelope) {
  const chunks = [];
  for await (const chunk of message.createReadStream()) chunks.push(chunk);
  return compact({
    sender: reversePath(envelope),
    to: envelope.to,
    raw: native.complete(Buffer.concat(chunks), envelope.from || ''),
    ...dsn(data.dsn),
    ...data.pmtaemail,
  });
}

/** The message in our own fields. */
async function nativeMessage(mail, envelope) {
  const nameless = list(mail.data.attachments).map(({ filename }) => filename === false);
  const data = await new Promise((resolve, reject) => {
    mail.resolveAll((error, resolved) => (error ? reject(error) : resolve(resolved)));
  });
  const attachments = list(data.attachments).map((attachment, index) => fileOf(attachment, nameless[index]));
  const { calendar, file } = event(data.icalEvent);
  if (file) attachments.push(file);
  return compact({
    sender: data.envelope && reversePath(envelope),
    from: data.from,
    to: data.to,
    cc: data.cc,
    bcc: data.bcc,
    replyTo: data.replyTo,
    subject: data.subject,
    date: data.date && new Date(data.date),
    messageId: mail.message.messageId(),
    inReplyTo: ids(data.inReplyTo),
    references: ids(data.references),
    priority: priority(data.priority),
    headers: headers(mail),
    text: text(data.text),
    html: text(data.html),
    amp: text(data.amp),
    calendar,
    attachments: attachments.length > 0 ? attachments : undefined,
    ...dsn(data.dsn),
    // Fields that nodemailer has no word for: `vmta`, `job`, `schedule`, …
    ...data.pmtaemail,
  });
}

function list(value) {
  return value ? [].concat(value) : [];
}

function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

function hasGroup(data) {
  const isGroup = (value) => typeof value === 'string' && /:[^;]*;/.test(value);
  return ['from', 'to', 'cc', 'bcc', 'replyTo'].some((name) => list(data[name]).some(isGroup));
}

/** Whether the envelope's recipients are those of the header, as in our messages. */
function addressesItsHeader({ data, message }) {
  if (!data.envelope) return true;
  const header = ['to', 'cc', 'bcc'].flatMap((name) => list(message.getHeader(name)));
  const addresses = message._parseAddresses?.(header);
  if (!addresses) return false;
  const set = (list) => [...new Set(list.map((address) => address.toLowerCase()))].sort().join();
  return set(addresses.map(({ address }) => address ?? '')) === set(message.getEnvelope().to);
}

function reversePath(envelope) {
  return envelope.from || '<>';
}

/** Which names are reserved is for the core to say. */
function hasReservedHeader(mail, check) {
  const fields = headers(mail);
  if (fields === undefined) return false;
  const problems = check({ from: 'a@example.com', to: 'b@example.com', headers: fields });
  return problems.some(({ code }) => code === 'reserved_header');
}

/** Fields of the caller's own, the mailer's name and the list's, as `{ name, value }`. */
function headers(mail) {
  const { headers, xMailer, list: lists } = mail.data;
  const fields = fieldsOf(headers);
  if (xMailer) fields.push({ name: 'X-Mailer', value: String(xMailer) });
  if (lists && typeof lists === 'object') {
    for (const { key, value } of mail._getListHeaders(lists)) {
      fields.push({ name: key.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase()), value: value.map(bodyOf) });
    }
  }
  return fields.length > 0 ? fields : undefined;
}

/** `{ name: value }`, `{ key, value }` or a list of the latter. */
function fieldsOf(headers) {
  if (!headers) return [];
  if (Array.isArray(headers)) return headers.flatMap(fieldsOf);
  const entries = headers.key && headers.value ? [[headers.key, headers.value]] : Object.entries(headers);
  return entries
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ({ name, value: Array.isArray(value) ? value.map(bodyOf) : bodyOf(value) }));
}

/** A body, which may come as `{ prepared, value }`. */
function bodyOf(value) {
  return String(value && typeof value === 'object' && 'value' in value ? value.value : value);
}

/** A text that is resolved: `{ content }`, with a string or a Buffer. */
function text(resolved) {
  const content = resolved?.content;
  return Buffer.isBuffer(content) ? content.toString() : content;
}

function fileOf({ filename, content, contentType, cid, contentDisposition }, isNameless) {
  const isInline = /^message\//i.test(contentType) || (cid && /^image\//i.test(contentType));
  return compact({
    filename: isNameless ? undefined : filename,
    ...octetsOrText(content),
    contentType,
    cid: cid?.replace(/[<>]/g, ''),
    disposition: contentDisposition || (isInline ? 'inline' : 'attachment'),
  });
}

/**
 * A string is literal text: what was base64 or the like, nodemailer has decoded. An attachment without content is
 * resolved to itself.
 */
function octetsOrText(content) {
  if (typeof content === 'string') return { content, encoding: 'utf8' };
  return { content: content instanceof Uint8Array ? content : Buffer.alloc(0) };
}

/** An event goes out twice, as nodemailer has it: for calendar programs, and as a file. */
function event(resolved) {
  if (!resolved?.content) return {};
  const { method, filename } = resolved;
  const content = text(resolved);
  return {
    calendar: compact({ method: method && String(method).trim().toUpperCase(), content }),
    file: {
      filename: filename || 'invite.ics',
      contentType: 'application/ics',
      content: Buffer.from(content),
      disposition: 'attachment',
    },
  };
}

function ids(value) {
  const ids = list(value).flatMap((ids) => String(ids).split(/\s+/)).filter(Boolean);
  return ids.length > 0 ? ids : undefined;
}

/** Nothing but `high` and `low` says anything in nodemailer. */
function priority(value) {
  const word = String(value ?? '').toLowerCase();
  return word === 'high' || word === 'low' ? word : undefined;
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

module.exports = { mustBeRaw, nativeMessage, rawMessage };
