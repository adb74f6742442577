// Reads lines of JSON, {reader, message: base64}, and answers each with a line: what that parser makes of the message.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";

const ADDRESS_FIELDS = { from: "from", sender: "sender", replyTo: "reply-to", to: "to", cc: "cc", bcc: "bcc" };

const digest = (content) => createHash("sha256").update(content).digest("hex");

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
    addresses: addresses(parsed, ({ value }) => value),
    messageId: parsed.messageId ?? null,
    bodies: bodies(parsed),
    attachments: parsed.attachments.map(({ filename, contentType, content }) => ({
      name: filename ?? null,
      media_type: contentType,
      sha256: digest(content),
    })),
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
    attachments: parsed.attachments.map(({ filename, mimeType, content }) => ({
      name: filename ?? null,
      media_type: mimeType,
      sha256: digest(new Uint8Array(content)),
    })),
  };
}

const READERS = { mailparser, "postal-mime": postalMime };

for await (const line of createInterface({ input: process.stdin })) {
  const { reader, message } = JSON.parse(line);
  let answer;
  try {
    answer = await READERS[reader](Buffer.from(message, "base64"));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
