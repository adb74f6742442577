// Reads lines of JSON, {reader, message: hex}, and answers each with a line: what that parser makes of the message.

import { createInterface } from "node:readline";
import libmime from "libmime";
import { simpleParser } from "mailparser";
import PostalMime, { decodeWords } from "postal-mime";

const ADDRESS_FIELDS = { from: "from", sender: "sender", replyTo: "reply-to", to: "to", cc: "cc", bcc: "bcc" };

const hex = (content) => Buffer.from(content).toString("hex");

/** Address lists under their field names, each mailbox as [name, address]. */
function addresses(parsed, mailboxesOf) {
  const found = {};
  for (const [key, field] of Object.entries(ADDRESS_FIELDS)) {
    if (parsed[key] !== undefined) {
      found[field] = mailboxesOf(parsed[key]).map(({ name, address }) => [name ?? "", address ?? ""]);
    }
  }
  return found;
}

function bodies(parsed) {
  const found = {};
  if (typeof parsed.text === "string") found.text = parsed.text;
  if (typeof parsed.html === "string") found.html = parsed.html;
  return found;
}

async function mailparser(message) {
  const parsed = await simpleParser(message, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    skipTextLinks: true,
  });
  return {
    fields: parsed.headerLines.map(({ key }) => key),
    subject: parsed.subject ?? null,
    addresses: addresses(parsed, ({ value }) => value.flatMap((mailbox) => mailbox.group ?? mailbox)),
    messageId: parsed.messageId ?? null,
    bodies: bodies(parsed),
    attachments: parsed.attachments.map(({ filename, contentType, content, cid, contentDisposition, headers }) => ({
      name: filename ?? null,
      mediaType: contentType,
      content: hex(content),
      cid: cid ?? null,
      disposition: contentDisposition ?? null,
      parameters: headers.get("content-type").params,
    })),
    // It keeps fields that it does not know as lines; libmime is its own library for what is in them.
    values: parsed.headerLines.map(({ key, line }) => {
      const text = line.slice(line.indexOf(":") + 1).replace(/\r?\n/g, "");
      return [key, libmime.decodeWords(text.replace(/^[ \t]/, ""))];
    }),
  };
}

async function postalMime(message) {
  const parsed = await PostalMime.parse(message);
  return {
    fields: parsed.headers.map(({ key }) => key),
    subject: parsed.subject ?? null,
    addresses: addresses(parsed, (value) => (Array.isArray(value) ? value : [value])),
    messageId: parsed.messageId ?? null,
    bodies: bodies(parsed),
    attachments: parsed.attachments.map(({ filename, mimeType, content, contentId, disposition }) => ({
      name: filename ?? null,
      mediaType: mimeType,
      content: hex(content),
      cid: contentId ?? null,
      disposition: disposition ?? null,
      parameters: null,
    })),
    values: parsed.headers.map(({ key, value }) => [key, decodeWords(value)]),
  };
}

const READERS = { mailparser, "postal-mime": postalMime };

for await (const line of createInterface({ input: process.stdin })) {
  const { reader, message } = JSON.parse(line);
  let answer;
  try {
    answer = await READERS[reader](Buffer.from(message, "hex"));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
