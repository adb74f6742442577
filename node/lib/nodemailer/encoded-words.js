'use strict';

// RFC 2047, section 6.2. Callers of nodemailer write encoded words themselves, and nodemailer sends ASCII as it is.

const WORD = '=\\?([^\\s?*]+)(?:\\*[^\\s?]*)?\\?([BbQq])\\?([^\\s?]*)\\?=';
const RUN = `${WORD}(?:[ \\t\\r\\n]+${WORD})*`;
const WORDS = new RegExp(`(?<!\\S)${RUN}(?!\\S)`, 'g');
const WORDS_OF_FIELD = new RegExp(`(?<![^\\s(])${RUN}(?![^\\s)])`, 'g');

const SPECIAL = /[()<>[\]:;@\\,."]/;

/** A text with its encoded words in clear; those that cannot be read stay as they are. */
function decodeWords(text) {
  // Most texts have none. A text beyond ASCII was not encoded by its writer, and nodemailer encodes all of it.
  if (!text.includes('=?') || /[^\0-\x7f]/.test(text)) return text;
  return text.replace(WORDS, (run) => decodeRun(run) ?? run);
}

/** Encoded words with nothing between them but white space, which is no part of the text. */
function decodeRun(run) {
  const pieces = [];
  for (const [, label, encoding, encoded] of run.matchAll(new RegExp(WORD, 'g'))) {
    const charset = label.toLowerCase();
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(encoded, 'base64') : fromQ(encoded);
    // Some writers split a character between two words.
    if (pieces.at(-1)?.charset === charset) pieces.at(-1).bytes.push(bytes);
    else pieces.push({ charset, bytes: [bytes] });
  }
  try {
    return pieces.map(({ charset, bytes }) => new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes))).join('');
  } catch {
    return undefined;
  }
}

function fromQ(encoded) {
  const text = encoded.replaceAll('_', ' ');
  return Buffer.from(text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
}

/**
 * The same for a header field. In one that has angles the words are in a comment, or they are a phrase, whose signs stand
 * in quotes (RFC 5322, section 3.2): `"Lee, Ann" <ann@example.org> (Abmelden \(bald\))`.
 */
function decodeField(body) {
  if (!body.includes('<')) return decodeWords(body);
  let end = 0;
  let isComment = false;
  return body.replace(WORDS_OF_FIELD, (run, ...rest) => {
    const offset = rest.at(-2);
    const between = body.slice(end, offset);
    end = offset + run.length;
    const [open, close] = [between.lastIndexOf('('), between.lastIndexOf(')')];
    if (open !== close) isComment = open > close;
    const text = decodeRun(run);
    if (text === undefined) return run;
    if (isComment) return text.replace(/[()\\]/g, '\\$&');
    return SPECIAL.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
  });
}

module.exports = { decodeField, decodeWords };
