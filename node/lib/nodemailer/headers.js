'use strict';

// The header fields of a mail that are not fields of a message.

const { decodeField, decodeWords } = require('./encoded-words.js');

/** PowerMTA's header fields that are fields of a message: how its users choose them through SMTP. */
const POWERMTA = { 'x-job': 'job', 'x-envid': 'envid', 'x-virtual-mta': 'vmta' };

/** Fields that are read from the compiled message, whether they come from nodemailer's options or from `headers`. */
const COMPILED = ['from', 'to', 'cc', 'bcc', 'reply-to', 'subject', 'in-reply-to', 'references'];

/** Options of nodemailer, and the fields in `headers` that they replace. */
const REPLACED_BY = {
  date: ['date'],
  messageId: ['message-id'],
  xMailer: ['x-mailer'],
};

const PRIORITY = ['x-priority', 'x-msmail-priority', 'importance'];

/** What PowerMTA's own header fields choose. */
function powermta(data) {
  const fields = fieldsOf(data.headers);
  const found = {};
  for (const [name, field] of Object.entries(POWERMTA)) {
    const values = valuesOf(fields, name);
    // Several are for the core to refuse.
    if (values.length === 1) found[field] = values[0];
  }
  return found;
}

/** Keeps those fields out of what nodemailer writes: the mail's readers are not meant to see them. */
function hidePowermta({ data, message }) {
  const chosen = powermta(data);
  for (const [name, field] of Object.entries(POWERMTA)) {
    // A field without a value is not written.
    if (field in chosen) message.setHeader(name, '');
  }
}

/** Fields of the caller's own, the mailer's name and the list's, as `{ name, value }`. */
function headers(mail) {
  const { data } = mail;
  const chosen = powermta(data);
  const elsewhere = new Set(COMPILED);
  for (const [name, field] of Object.entries(POWERMTA)) if (field in chosen) elsewhere.add(name);
  for (const [option, names] of Object.entries(REPLACED_BY)) if (data[option]) names.forEach((name) => elsewhere.add(name));
  if (priority(data.priority)) PRIORITY.forEach((name) => elsewhere.add(name));

  const fields = fieldsOf(data.headers).filter(({ name }) => !elsewhere.has(name.toLowerCase()));
  if (data.xMailer) fields.push({ name: 'X-Mailer', values: bodies(data.xMailer) });
  if (data.list && typeof data.list === 'object') {
    for (const { key, value } of mail._getListHeaders(data.list)) {
      let values = bodies(value);
      // Up to version 7 an identifier gets a scheme, as if it were a URL (RFC 2919 has none).
      if (key === 'list-id') values = values.map((text) => text.replace(/<[^:<>]+:\/{0,2}/, '<'));
      fields.push({ name: key.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase()), values });
    }
  }
  return fields.map(({ name, values }) => {
    const decoded = values.map((value) => (typeof value === 'string' ? decodeField(value) : value));
    return { name, value: decoded.length === 1 ? decoded[0] : decoded };
  });
}

/** Whether `headers` has a field several times of which the compiled message tells the first alone. */
function repeatsCompiled(data) {
  const fields = fieldsOf(data.headers);
  return COMPILED.some((name) => valuesOf(fields, name).length > 1);
}

function valuesOf(fields, name) {
  return fields.filter((field) => field.name.toLowerCase() === name).flatMap(({ values }) => values);
}

/** `{ name: value }`, `{ key, value }` or a list of the latter, as `{ name, values }`; nodemailer writes no empty ones. */
function fieldsOf(headers) {
  if (!headers) return [];
  const fields = (entries) => entries.map(([name, value]) => ({ name: String(name), values: bodies(value) })).filter(({ values }) => values.length > 0);
  if (Array.isArray(headers)) return fields(headers.filter(Boolean).map(({ key, value }) => [key, value]));
  return fields(headers.key && headers.value ? [[headers.key, headers.value]] : Object.entries(headers));
}

/** The bodies that nodemailer would write. */
function bodies(value) {
  return [value].flat(Infinity).map(body).filter((text) => typeof text !== 'string' || text.trim() !== '');
}

/** A body, which may come as `{ prepared, value }`. What is none is for the core to refuse. */
function body(value) {
  if (value instanceof Date) return value.toUTCString().replace('GMT', '+0000');
  if (!value || typeof value !== 'object') return String(value || '');
  if (!('value' in value)) return value;
  const text = String(value.value || '');
  // Whoever prepared it may have folded it.
  return value.prepared ? text.replace(/\r?\n(?=[ \t])/g, '') : text;
}

/** Nothing but `high` and `low` says anything in nodemailer. */
function priority(value) {
  const word = String(value ?? '').toLowerCase();
  return word === 'high' || word === 'low' ? word : undefined;
}

/** A subject may be of any type. */
function subject(message) {
  const text = body(message.getHeader('subject'));
  return typeof text === 'string' ? decodeWords(text) : text;
}

/** Identifiers, which nodemailer takes with commas between them and with blanks in them. */
function ids(value) {
  const text = [value].flat(Infinity).filter(Boolean).map(String).join(' ');
  const ids = text.match(/<[^<>]*>|[^\s,<>]+/g);
  return ids?.map((id) => id.replace(/\s/g, ''));
}

module.exports = { headers, hidePowermta, ids, powermta, priority, repeatsCompiled, subject };
