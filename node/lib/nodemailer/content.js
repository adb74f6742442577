'use strict';

// Texts, attachments and events.

const { decodeWords } = require('./encoded-words.js');

/** What may be a stream, or say where to read it. */
const TEXTS = ['text', 'html', 'amp'];

/** What says more of a text than its content. */
const OF_A_PART = ['raw', 'headers', 'cid', 'filename', 'contentDisposition'];

/** Whether there is content that our fields cannot say, or that only nodemailer can read as it was asked to. */
function isOnlyForNodemailer(data) {
  const texts = TEXTS.map((name) => data[name]).filter((text) => text && typeof text === 'object');
  const files = [...list(data.attachments), ...list(data.icalEvent)];
  return (
    Boolean(data.watchHtml) ||
    list(data.alternatives).length > 0 ||
    texts.some((text) => OF_A_PART.some((name) => text[name])) ||
    files.some((file) => file.raw || file.headers) ||
    lacksMethod(data.icalEvent) ||
    [...texts, ...files].some((content) => isRemote(content, data))
  );
}

/** Up to version 8 nodemailer resolves a file or a URL without looking at what is forbidden or how to ask for it. */
function isRemote(content, data) {
  if (!content.path && !content.href) return false;
  return Boolean(content.httpHeaders || content.tls || data.disableFileAccess || data.disableUrlAccess);
}

/** An event whose content tells no method goes out as nodemailer has it: with one in its media type alone. */
function lacksMethod(event) {
  if (!event) return false;
  const content = event.content ?? event;
  const known = typeof content === 'string' || Buffer.isBuffer(content);
  if (!known) return true;
  const text = Buffer.isBuffer(content) ? content.toString() : Buffer.from(content, event.encoding).toString();
  return !/^METHOD[:;]/im.test(text);
}

/** Reads streams, of which nodemailer takes those of bytes alone up to version 9. */
async function readStreams(data) {
  // It also overlooks an attachment that is not in a list.
  data.attachments = list(data.attachments);
  for (const name of [...TEXTS, 'icalEvent']) {
    if (isStream(data[name])) data[name] = await read(data[name]);
    else if (isStream(data[name]?.content)) data[name] = { ...data[name], content: await read(data[name].content) };
  }
  for (const [index, attachment] of data.attachments.entries()) {
    if (isStream(attachment.content)) data.attachments[index] = { ...attachment, content: await read(attachment.content) };
  }
}

function isStream(value) {
  return typeof value?.pipe === 'function';
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A text that is resolved: `{ content }`, with a string or a Buffer. */
function text(resolved) {
  const content = resolved?.content;
  return Buffer.isBuffer(content) ? content.toString() : content;
}

/** Files and the event; `given` are the attachments before nodemailer filled in what was absent. */
function attachments(data, given) {
  const files = data.attachments.map((attachment, index) => fileOf(attachment, given[index]));
  const { calendar, file } = event(data.icalEvent);
  if (file) files.push(file);
  return { calendar, attachments: files.length > 0 ? files : undefined };
}

function fileOf({ filename, content, contentType, cid, contentDisposition }, given) {
  const isMessage = /^message\//i.test(contentType);
  const isInline = isMessage || (cid && /^image\//i.test(contentType));
  // Its writer gives a name to all but messages.
  const hasName = given.filename || (given.filename !== false && !isMessage);
  const isEmpty = !given.content && !given.path && !given.href;
  return {
    filename: hasName ? decodeWords(String(filename)) : undefined,
    ...(isEmpty ? { content: Buffer.alloc(0) } : bytesOrText(content)),
    contentType: contentType || undefined,
    cid: cid ? String(cid).replace(/[<>]/g, '') : undefined,
    disposition: contentDisposition || (isInline ? 'inline' : 'attachment'),
  };
}

/** A string is literal text: what was base64 or the like, nodemailer has decoded. */
function bytesOrText(content) {
  return typeof content === 'string' ? { content, encoding: 'utf8' } : { content };
}

/** An event goes out twice, as nodemailer has it: for calendar programs, and as a file. */
function event(resolved) {
  if (!resolved?.content) return {};
  const { method, filename } = resolved;
  const content = text(resolved);
  return {
    calendar: { method: method ? String(method).trim().toUpperCase() : undefined, content },
    file: {
      filename: filename ? decodeWords(String(filename)) : 'invite.ics',
      contentType: 'application/ics',
      content: Buffer.from(content),
      disposition: 'attachment',
    },
  };
}

function list(value) {
  return value ? [].concat(value) : [];
}

module.exports = { attachments, isOnlyForNodemailer, list, readStreams, text };
