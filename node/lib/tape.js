'use strict';

const { types } = require('node:util');
const { MessageError } = require('./errors.js');

// Kinds of words; `src/tape.rs` tells what each means.
const CONSTANT = 0;
const STRING = 1;
const NUMBER = 2;
const OCTETS = 3;
const ARRAY = 4;
const OBJECT = 5;

const NULL = 0 * 8 + CONSTANT;
const TRUE = 1 * 8 + CONSTANT;
const FALSE = 2 * 8 + CONSTANT;
const NOT_JSON = 3 * 8 + CONSTANT;

// The first two words tell whether the text is wide and how many words there are.
const FIRST = 2;

// As deep as JSON texts may nest.
const DEEPEST = 127;

// On text of one octet a character, this is settled without looking at it.
const WIDE = /[\u0100-\uffff]/;
const SURROGATE = /\p{Surrogate}/gu;

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);
const [LOW, HIGH] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];

/**
 * Writes messages down as the addon reads them: all text in one string, all structure in one array of words, octets
 * by reference. It knows JavaScript's types and no field of a message.
 */
class Tape {
  constructor() {
    this.text = '';
    this.words = new Uint32Array(256);
    this.end = FIRST;
    this.buffers = [];
    this.octets = 0;
  }

  /** Adds a message: a string or octets of JSON, or an object. If that throws, the tape is as before. */
  add(message) {
    const { text, end, octets } = this;
    const buffers = this.buffers.length;
    try {
      if (typeof message === 'string') this.string(wellFormed(message));
      else this.value(message, 0);
    } catch (error) {
      this.text = text;
      this.end = end;
      this.buffers.length = buffers;
      this.octets = octets;
      throw error;
    }
  }

  /** The arguments of the addon's functions. */
  arguments() {
    this.words[0] = WIDE.test(this.text) ? 1 : 0;
    this.words[1] = this.end;
    return [this.text, this.words, this.buffers];
  }

  /** About how much memory the messages take. */
  get size() {
    return this.text.length + this.octets;
  }

  clear() {
    this.text = '';
    this.end = FIRST;
    this.octets = 0;
    if (this.buffers.length > 0) this.buffers = [];
  }

  value(value, depth) {
    switch (typeof value) {
      case 'string':
        return this.string(value);
      case 'undefined':
        return this.word(NULL);
      case 'boolean':
        return this.word(value ? TRUE : FALSE);
      case 'number':
        return this.number(value);
      case 'object':
        return value === null ? this.word(NULL) : this.object(value, depth);
      default:
        return this.word(NOT_JSON);
    }
  }

  object(value, depth) {
    if (depth >= DEEPEST) throw tooDeep();
    if (Array.isArray(value)) return this.array(value, depth + 1);
    const prototype = Object.getPrototypeOf(value);
    const plain = prototype === Object.prototype || prototype === null;
    if (plain && typeof value.toJSON !== 'function') return this.members(value, depth + 1);
    return this.special(value, depth);
  }

  members(object, depth) {
    const at = this.word(OBJECT);
    let count = 0;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value === undefined) continue;
      this.string(name);
      this.value(value, depth);
      count++;
    }
    this.words[at] = count * 8 + OBJECT;
  }

  array(array, depth) {
    const { length } = array;
    this.word(length * 8 + ARRAY);
    for (let index = 0; index < length; index++) this.value(array[index], depth);
  }

  special(value, depth) {
    if (types.isUint8Array(value)) return this.buffer(value);
    if (types.isAnyArrayBuffer(value)) return this.buffer(new Uint8Array(value));
    // `toJSON` of an invalid date is null, and a date that is given is not to be dropped.
    if (types.isDate(value)) return this.string(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString());
    if (typeof value.toJSON === 'function') return this.value(value.toJSON(), depth + 1);
    if (types.isBoxedPrimitive(value)) return this.value(value.valueOf(), depth + 1);
    // JSON.stringify takes maps, sets, promises and the like for empty objects.
    if (Object.prototype.toString.call(value) !== '[object Object]') return this.word(NOT_JSON);
    return this.members(value, depth + 1);
  }

  string(string) {
    this.word(string.length * 8 + STRING);
    this.text += string;
  }

  number(number) {
    if (!Number.isFinite(number)) return this.word(NOT_JSON);
    float[0] = number;
    this.word(NUMBER);
    this.word(halves[LOW]);
    this.word(halves[HIGH]);
  }

  buffer(buffer) {
    // Another thread could write to shared memory while it is read.
    const shared = types.isSharedArrayBuffer(buffer.buffer);
    this.word(this.buffers.length * 8 + OCTETS);
    this.buffers.push(shared ? buffer.slice() : buffer);
    this.octets += buffer.length;
  }

  word(word) {
    if (this.end === this.words.length) this.grow();
    this.words[this.end] = word;
    return this.end++;
  }

  grow() {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
  }
}

/** JSON text whose lone surrogates are escaped, so that they can be told from U+FFFD. */
function wellFormed(json) {
  if (json.isWellFormed()) return json;
  return json.replace(SURROGATE, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function tooDeep() {
  const detail = `The message holds itself, or is nested more than ${DEEPEST} levels deep.`;
  return new MessageError([{ code: 'not_json', pointer: '', detail }]);
}

let spare = new Tape();

/** Calls `verb` with one message as the addon's functions take it. */
function withMessage(message, verb) {
  // A getter of the message may call in again.
  const tape = spare ?? new Tape();
  spare = undefined;
  try {
    tape.add(message);
    return verb(...tape.arguments());
  } finally {
    tape.clear();
    spare = tape;
  }
}

module.exports = { Tape, withMessage };
