'use strict';

const { types } = require('node:util');
const native = require('./native.js');
const { MessageError } = require('./errors.js');

// Kinds of words; `src/decoder.rs` tells what each means.
const CONSTANT = 0;
const STRING = 1;
const NUMBER = 2;
const BYTES = 3;
const ARRAY = 4;
const OBJECT = 5;

const NULL = 0 * 8 + CONSTANT;
const TRUE = 1 * 8 + CONSTANT;
const FALSE = 2 * 8 + CONSTANT;
const WITH_TEXT = 3 * 8 + CONSTANT;
const LITERAL = 4 * 8 + CONSTANT;
const FUNCTION = 5 * 8 + CONSTANT;
const PROMISE = 6 * 8 + CONSTANT;
const STREAM = 7 * 8 + CONSTANT;
const BLOB = 8 * 8 + CONSTANT;
const PAIRS = 9 * 8 + CONSTANT;
const OTHER = 10 * 8 + CONSTANT;
const INVALID_DATE = 11 * 8 + CONSTANT;

// The first two words tell where the words and the runs end.
const FIRST = 2;

// As deep as JSON texts may nest.
const DEEPEST = 127;

// Strings up to here are joined, because it is quicker to write them together.
const SHORT = 256;

// Very many of them would be a string too long for V8.
const MOST_SHORT = 1024 * 1024;

// What a encoder may keep for the next message.
const KEPT = 1024 * 1024;

// On text of one byte a character, this is settled without looking at it.
const WIDE = /[\u0100-\uffff]/;
const SURROGATE = /\p{Surrogate}/gu;

// Which fields the elements of an asynchronous iterable may be read for.
const ITERABLE_FIELDS = native.iterableFields();

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);
const [LOW, HIGH] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];

/**
 * Writes messages down as the addon reads them: all text in one place, all structure in one array of words, bytes by
 * reference. It knows JavaScript's types and no field of a message.
 */
class Encoder {
  #words = new Uint32Array(256);
  #end = FIRST;
  /** Text as V8 keeps it: runs of one byte a character, and runs of UTF-16. */
  #text = Buffer.allocUnsafeSlow(4096);
  #textEnd = 0;
  #runs = [];
  /** Short strings that are not yet in the text. */
  #short = '';
  #buffers = [];
  #bytes = 0;

  /** Adds a message: a string or bytes of JSON, or an object. If that throws, the encoder is as before. */
  add(message) {
    this.#writeShort();
    const [end, textEnd, runs, buffers, bytes] = [this.#end, this.#textEnd, this.#runs.length, this.#buffers.length, this.#bytes];
    try {
      if (typeof message === 'string') this.#string(wellFormed(message));
      else this.#value(message, 0);
    } catch (error) {
      this.#end = end;
      this.#textEnd = textEnd;
      this.#runs.length = runs;
      this.#short = '';
      this.#buffers.length = buffers;
      this.#bytes = bytes;
      throw error;
    }
  }

  /**
   * Adds a message, the only one, that `isAsync`: it pulls an element when the one before it is written. If that
   * throws, or an iterable does, the encoder is to be dropped.
   */
  async addAsync(message) {
    const at = this.#word(OBJECT);
    let count = 0;
    for (const name of Object.keys(message)) {
      const value = message[name];
      if (value === undefined) continue;
      this.#string(name);
      if (ITERABLE_FIELDS.includes(name) && isAsyncIterable(value)) await this.#asyncList(value);
      else this.#value(value, 1);
      count++;
    }
    this.#words[at] = count * 8 + OBJECT;
  }

  /** The arguments of the addon's functions. */
  arguments() {
    this.#writeShort();
    const end = this.#end;
    for (const run of this.#runs) this.#word(run);
    this.#words[0] = end;
    this.#words[1] = this.#end;
    this.#end = end;
    return [this.#words, this.#text, this.#buffers];
  }

  /** About how much memory the messages take. */
  get size() {
    return this.#textEnd + this.#short.length + this.#bytes;
  }

  clear() {
    this.#end = FIRST;
    this.#textEnd = 0;
    this.#short = '';
    this.#bytes = 0;
    if (this.#runs.length > 0) this.#runs = [];
    if (this.#buffers.length > 0) this.#buffers = [];
    if (this.#text.length > KEPT) this.#text = Buffer.allocUnsafeSlow(4096);
    if (this.#words.length > KEPT / 4) this.#words = new Uint32Array(256);
  }

  #value(value, depth) {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'undefined':
        return this.#word(NULL);
      case 'boolean':
        return this.#word(value ? TRUE : FALSE);
      case 'number':
        return this.#number(value);
      case 'object':
        return value === null ? this.#word(NULL) : this.#object(value, depth);
      case 'bigint':
        return this.#literal(value);
      default:
        return this.#word(FUNCTION);
    }
  }

  #object(value, depth) {
    if (depth >= DEEPEST) throw tooDeep();
    if (Array.isArray(value)) return this.#array(value, depth + 1);
    const prototype = Object.getPrototypeOf(value);
    const plain = prototype === Object.prototype || prototype === null;
    if (plain && !knowsItself(value)) return this.#members(value, depth + 1);
    return this.#special(value, depth);
  }

  #members(object, depth) {
    const at = this.#word(OBJECT);
    let count = 0;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value === undefined) continue;
      this.#string(name);
      this.#value(value, depth);
      count++;
    }
    this.#words[at] = count * 8 + OBJECT;
  }

  #array(array, depth) {
    const { length } = array;
    this.#word(length * 8 + ARRAY);
    for (let index = 0; index < length; index++) this.#value(array[index], depth);
  }

  /** What gives its elements one after the other, once. */
  #list(iterable, depth) {
    const at = this.#word(ARRAY);
    let count = 0;
    for (const element of iterable) {
      this.#value(element, depth);
      count++;
    }
    this.#words[at] = count * 8 + ARRAY;
  }

  async #asyncList(iterable) {
    const at = this.#word(ARRAY);
    let count = 0;
    for await (const element of iterable) {
      this.#value(element, 2);
      count++;
    }
    this.#words[at] = count * 8 + ARRAY;
  }

  #special(value, depth) {
    if (types.isUint8Array(value)) return this.#buffer(value);
    if (types.isAnyArrayBuffer(value)) return this.#buffer(new Uint8Array(value));
    if (types.isDate(value)) return this.#date(value);
    if (typeof value.toJSON === 'function') return this.#json(value.toJSON(), depth);
    if (types.isBoxedPrimitive(value)) return this.#value(value.valueOf(), depth + 1);
    if (isAsyncIterable(value)) return this.#word(STREAM);
    if (isList(value)) return this.#list(value, depth + 1);
    if (typeof value.then === 'function') return this.#word(PROMISE);
    // JSON.stringify takes maps, promises and the like for empty objects.
    if (Object.prototype.toString.call(value) === '[object Object]') return this.#members(value, depth + 1);
    return this.#word(notJson(value));
  }

  #date(date) {
    // Its `toJSON` is null, and a date that is given is not to be dropped.
    if (Number.isNaN(date.getTime())) return this.#word(INVALID_DATE);
    return this.#withText(date.toISOString());
  }

  /** What an object says of itself. */
  #json(json, depth) {
    if (typeof json === 'string') return this.#withText(json);
    return this.#value(json, depth + 1);
  }

  /** The text of an object of another kind, such as a date or a URL. */
  #withText(string) {
    this.#word(WITH_TEXT);
    this.#string(string);
  }

  #string(string) {
    this.#word(string.length * 8 + STRING);
    if (string.length <= SHORT) {
      this.#short += string;
      if (this.#short.length > MOST_SHORT) this.#writeShort();
    } else {
      this.#writeShort();
      this.#write(string);
    }
  }

  #writeShort() {
    if (this.#short === '') return;
    this.#write(this.#short);
    this.#short = '';
  }

  #write(string) {
    const isWide = WIDE.test(string);
    const end = this.#textEnd + string.length * (isWide ? 2 : 1);
    if (end > this.#text.length) this.#growText(end);
    this.#text.write(string, this.#textEnd, isWide ? 'utf16le' : 'latin1');
    this.#textEnd = end;
    this.#runs.push(string.length * 2 + (isWide ? 1 : 0));
  }

  #growText(least) {
    const text = Buffer.allocUnsafeSlow(Math.max(least, this.#text.length * 2));
    this.#text.copy(text, 0, 0, this.#textEnd);
    this.#text = text;
  }

  #number(number) {
    // As JSON.stringify writes it.
    if (!Number.isSafeInteger(number) && Number.isFinite(number)) return this.#literal(number);
    float[0] = number;
    this.#word(NUMBER);
    this.#word(halves[LOW]);
    this.#word(halves[HIGH]);
  }

  /** A number by its digits. */
  #literal(number) {
    this.#word(LITERAL);
    this.#string(String(number));
  }

  #buffer(buffer) {
    // Another thread could write to shared memory while it is read.
    const shared = types.isSharedArrayBuffer(buffer.buffer);
    this.#word(this.#buffers.length * 8 + BYTES);
    this.#buffers.push(shared ? buffer.slice() : buffer);
    this.#bytes += buffer.length;
  }

  #word(word) {
    if (this.#end === this.#words.length) this.#grow();
    this.#words[this.#end] = word;
    return this.#end++;
  }

  #grow() {
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
  }
}

/** JSON text whose lone surrogates are escaped, so that they can be told from U+FFFD. */
function wellFormed(json) {
  if (json.isWellFormed()) return json;
  return json.replace(SURROGATE, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/**
 * Whether a message has fields to wait for; they are read by `addAsync` alone. In the hot path, so it looks at nothing
 * else.
 */
function isAsync(message) {
  if (typeof message !== 'object' || message === null || typeof message.toJSON === 'function') return false;
  return ITERABLE_FIELDS.some((name) => isAsyncIterable(message[name]));
}

function isAsyncIterable(value) {
  return typeof value === 'object' && value !== null && typeof value[Symbol.asyncIterator] === 'function';
}

/** Whether an object says itself what is in it. */
function knowsItself(value) {
  return typeof value.toJSON === 'function' || value[Symbol.iterator] !== undefined || value[Symbol.asyncIterator] !== undefined;
}

/** Why a value that is no text, number, list or plain object is none that JSON has. */
function notJson(value) {
  if (value instanceof Blob) return BLOB;
  return typeof value.entries === 'function' && !ArrayBuffer.isView(value) ? PAIRS : OTHER;
}

/** Whether it is an iterable that stands for an array. Maps, and what is like them, give pairs. */
function isList(value) {
  if (typeof value[Symbol.iterator] !== 'function' || ArrayBuffer.isView(value)) return false;
  return value[Symbol.iterator] !== value.entries;
}

function tooDeep() {
  const detail = `The message holds itself, or is nested more than ${DEEPEST} levels deep.`;
  return new MessageError([{ code: 'not_json', pointer: '', detail }]);
}

let spare = new Encoder();

/** Calls `verb` with one message as the addon's functions take it. */
function withMessage(message, verb) {
  // A getter of the message may call in again.
  const encoder = spare ?? new Encoder();
  spare = undefined;
  try {
    encoder.add(message);
    return verb(...encoder.arguments());
  } finally {
    encoder.clear();
    spare = encoder;
  }
}

module.exports = { Encoder, isAsync, isAsyncIterable, withMessage };
