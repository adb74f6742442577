'use strict';

// What is read while somebody else makes it: async generators and streams.

const assert = require('node:assert/strict');
const { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const { beforeEach, afterEach, test } = require('node:test');
const { PassThrough, Readable } = require('node:stream');
const { setImmediate: turn } = require('node:timers/promises');
const { check, MessageError, Pickup, render, renderAsync } = require('pmtaemail');

const letter = { from: 'shop@example.com', template: 'merge', text: 'Hello {{ name }}', date: new Date(0) };
const message = { from: 'shop@example.com', to: 'ann@example.org', text: 'Hello' };
const person = (number) => ({ address: `r${number}@example.org`, variables: { name: `R${number}` } });

let directory;
let pickup;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pickup-'));
  pickup = new Pickup(directory, { durability: 'none' });
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Gives so many elements, each in a turn of its own, and keeps a record of who asked for how much. */
function source(count, element = person) {
  const record = { given: 0, isClosed: false };
  async function* elements() {
    try {
      for (let number = 0; number < count; number++) {
        await turn();
        record.given++;
        yield element(number);
      }
    } finally {
      record.isClosed = true;
    }
  }
  return Object.assign(elements(), { record });
}

const sources = {
  'an async generator': () => source(3),
  'an async iterable': () => ({ [Symbol.asyncIterator]: () => source(3) }),
  'a stream of Node': () => Readable.from([0, 1, 2].map(person)),
  'a stream of the web': () => ReadableStream.from([0, 1, 2].map(person)),
};

for (const [name, make] of Object.entries(sources)) {
  test(`recipients from ${name}`, async () => {
    const receipt = await pickup.submit({ ...letter, recipients: make() });
    assert.deepEqual([receipt.recipients, receipt.envids.length], [3, 3]);
    const file = readFileSync(join(directory, receipt.files[0]), 'latin1');
    for (const number of [0, 1, 2]) assert.ok(file.includes(`r${number}@example.org`));
    const [many] = await pickup.submitMany([{ ...letter, recipients: make() }]);
    assert.equal(many.recipients, 3);
    assert.match((await renderAsync({ ...letter, recipients: make() })).toString(), /Hello R0/);
  });

  test(`messages from ${name}`, async () => {
    const elements = async function* () {
      for await (const { address } of make()) yield { ...message, to: address };
    };
    const messages = name === 'a stream of Node' ? Readable.from(elements()) : elements();
    const receipts = await pickup.submitMany(messages);
    assert.deepEqual(receipts.map(({ recipients }) => recipients), [1, 1, 1]);
    assert.equal(readdirSync(directory).length, 3);
  });
}

test('lines of a file are recipients as they are read', async () => {
  const file = join(directory, 'people.txt');
  writeFileSync(file, Array.from({ length: 5_000 }, (_, number) => `r${number}@example.org\n`).join(''));
  const receipt = await pickup.submit({ ...letter, text: 'Hello', recipients: createInterface({ input: createReadStream(file) }) });
  assert.equal(receipt.recipients, 5_000);
});

test('an element is asked for when the one before it was taken', async () => {
  const stream = new Readable({ objectMode: true, highWaterMark: 1, read() {} });
  const submitted = pickup.submit({ ...letter, recipients: stream });
  for (let number = 0; number < 100; number++) {
    stream.push(person(number));
    await turn();
    // Nothing piles up in it.
    assert.ok(stream.readableLength <= 1, String(stream.readableLength));
  }
  stream.push(null);
  assert.equal((await submitted).recipients, 100);
});

test('what throws leaves nothing behind', async () => {
  const broken = async function* (element) {
    yield element(0);
    throw new RangeError('no');
  };
  const stream = new PassThrough({ objectMode: true });
  stream.write(person(0));
  setImmediate(() => stream.destroy(new RangeError('no')));
  await assert.rejects(pickup.submit({ ...letter, recipients: broken(person) }), RangeError);
  await assert.rejects(pickup.submit({ ...letter, recipients: stream }), RangeError);
  await assert.rejects(renderAsync({ ...letter, recipients: broken(person) }), RangeError);
  const generators = { async: broken(() => message), *sync() { yield message; throw new RangeError('no'); } };
  await assert.rejects(pickup.submitMany(generators.async), RangeError);
  await assert.rejects(pickup.submitMany(generators.sync()), RangeError);
  assert.throws(() => pickup.submitManySync(generators.sync()), RangeError);
  await turn();
  assert.deepEqual(readdirSync(directory), []);
  // One of many messages whose recipients cannot be read is an error of its own.
  const results = await pickup.submitMany([message, { ...letter, recipients: broken(person) }, message]);
  assert.deepEqual(results.map((result) => result instanceof RangeError), [false, true, false]);
  assert.equal(readdirSync(directory).length, 2);
});

test('a source that is not read to its end is closed', async () => {
  const refusing = { get address() { throw new RangeError('no'); } };
  const deep = {};
  deep.variables = deep;
  for (const [element, expected] of [[refusing, RangeError], [deep, MessageError]]) {
    const recipients = source(100, (number) => (number === 2 ? element : person(number)));
    await assert.rejects(pickup.submit({ ...letter, recipients }), expected);
    assert.deepEqual(recipients.record, { given: 3, isClosed: true });
  }
  const stream = Readable.from([person(0), refusing, person(1)]);
  await assert.rejects(pickup.submit({ ...letter, recipients: stream }), RangeError);
  assert.equal(stream.destroyed, true);
  assert.deepEqual(readdirSync(directory), []);
});

test('problems of recipients tell their place', async () => {
  const recipients = source(3, (number) => (number === 1 ? { ...person(1), address: 'nobody' } : person(number)));
  await assert.rejects(pickup.submit({ ...letter, recipients }), (error) => {
    assert.deepEqual(error.problems.map(({ pointer }) => pointer), ['/recipients/1/address']);
    return true;
  });
});

test('messages whose recipients come slowly are read one after the other', async () => {
  const lists = [source(5), source(5), source(5)];
  const seen = [];
  async function* watched(list) {
    seen.push(lists.map(({ record }) => record.given).join());
    yield* list;
  }
  const results = await pickup.submitMany(lists.map((list) => ({ ...letter, recipients: watched(list) })));
  assert.deepEqual(results.map(({ recipients }) => recipients), [5, 5, 5]);
  assert.deepEqual(seen, ['0,0,0', '5,0,0', '5,5,0']);
});

test('others do not wait for recipients that come slowly', async () => {
  const recipients = new PassThrough({ objectMode: true });
  const slow = pickup.submit({ ...letter, recipients });
  const results = await pickup.submitMany(Array(1_000).fill(message));
  assert.equal(results.length, 1_000);
  recipients.end(person(0));
  assert.equal((await slow).recipients, 1);
});

test('very many messages are not written down all at once', async () => {
  let reads = 0;
  const counted = { get from() { return ++reads; } };
  const submitted = pickup.submitMany(Array(10_000).fill(counted));
  assert.ok(reads > 0 && reads < 2_000, String(reads));
  const results = await submitted;
  assert.equal(reads, 10_000);
  assert.ok(results.every((result) => result instanceof MessageError));
});

test('where nobody can wait, a problem says so', () => {
  const problems = check({ ...letter, text: 'Hello', recipients: source(1) });
  assert.deepEqual(problems.map(({ code, pointer }) => `${pointer} ${code}`), ['/recipients wrong_type']);
  assert.match(problems[0].detail, /`submit`, `submitMany` and `renderAsync`/);
  for (const verb of [render, (message) => pickup.submitSync(message)]) {
    assert.throws(() => verb({ ...letter, text: 'Hello', recipients: source(1) }), { code: 'wrong_type' });
  }
  assert.throws(() => pickup.submitManySync(source(1, () => message)), { name: 'TypeError', message: /`submitMany`/ });
});

test('what is no list of messages', async () => {
  for (const list of [message, JSON.stringify(message), Buffer.from(JSON.stringify(message)), 5, null, undefined]) {
    await assert.rejects(pickup.submitMany(list), { name: 'TypeError', message: /one message is for `submit`/ });
    assert.throws(() => pickup.submitManySync(list), { name: 'TypeError', message: /one message is for `submit`/ });
  }
  for (const recipients of [5, true, {}, 'ann']) {
    const [{ code, pointer }] = check({ ...letter, text: 'Hello', recipients });
    assert.match(`${pointer} ${code}`, /^\/recipients/);
    await assert.rejects(pickup.submit({ ...letter, recipients }), MessageError);
  }
});
