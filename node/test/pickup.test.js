'use strict';

const assert = require('node:assert/strict');
const { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join, relative } = require('node:path');
const { beforeEach, afterEach, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { Worker } = require('node:worker_threads');
const { MessageError, Pickup, PickupError, render } = require('pmtaemail');

const message = { from: 'shop@example.com', to: 'ann@example.org', text: 'Hello', date: new Date(0), messageId: 'a@b.example' };

let directory;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'pickup-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function assertHandedOver({ files, octets, recipients }) {
  assert.equal(files.length, 1);
  assert.equal(recipients, 1);
  const file = join(directory, files[0]);
  assert.equal(statSync(file).size, octets);
  assert.ok(readFileSync(file).includes(render(message)));
}

test('a message is submitted, with a promise or blocking', async () => {
  const pickup = new Pickup(directory);
  assert.equal(pickup.path, directory);
  for (const receipt of [await pickup.submit(message), pickup.submitSync(JSON.stringify(message))]) {
    assert.deepEqual(Object.keys(receipt), ['id', 'messageId', 'files', 'recipients', 'octets']);
    assert.equal(receipt.messageId, 'a@b.example');
    assertHandedOver(receipt);
  }
});

test('a directory is named in the ways of Node', () => {
  for (const name of [pathToFileURL(directory), relative('.', directory)]) {
    assert.equal(new Pickup(name, { durability: 'none', syncfs: false }).path, directory);
  }
});

test('many are submitted together, each with its own outcome', async () => {
  const pickup = new Pickup(directory);
  const refuse = { get from() { throw 'no'; } };
  const many = Array.from({ length: 1000 }, (_, n) => (n === 500 ? {} : n === 501 ? refuse : n === 502 ? '{' : message));
  for (const results of [await pickup.submitMany(many), pickup.submitManySync(many), await pickup.submitMany(new Set([message]))]) {
    results.forEach((result, index) => {
      if (index === 500) assert.equal(result.code, 'missing_field');
      else if (index === 501) assert.equal(result.cause, 'no');
      else if (index === 502) assert.ok(result instanceof MessageError);
      else assertHandedOver(result);
    });
  }
  assert.equal(readdirSync(directory).length, 997 * 2 + 1);
  assert.deepEqual(await pickup.submitMany([]), []);
});

test('what is submitted at the same time goes together', async () => {
  const pickup = new Pickup(directory);
  const results = await Promise.allSettled(Array.from({ length: 600 }, (_, n) => pickup.submit(n === 7 ? {} : message)));
  results.forEach(({ value, reason }, index) => {
    if (index === 7) assert.ok(reason instanceof MessageError);
    else assertHandedOver(value);
  });
  assert.equal(new Set(results.map(({ value }) => value?.id)).size, 600);
});

test('large messages go in groups of their own', async () => {
  const pickup = new Pickup(directory, { durability: 'none' });
  const large = { ...message, attachments: [{ filename: 'a.bin', content: Buffer.alloc(9_000_000) }] };
  const receipts = await pickup.submitMany([large, large, large, message]);
  assert.deepEqual(receipts.map(({ octets }) => octets > 12_000_000), [true, true, true, false]);
});

test('the event loop goes on meanwhile', async () => {
  const pickup = new Pickup(directory);
  let turns = 0;
  const interval = setInterval(() => turns++, 1);
  await pickup.submitMany(Array(2000).fill(message));
  clearInterval(interval);
  assert.ok(turns > 3, String(turns));
});

test('a directory that fails', async () => {
  assert.throws(
    () => new Pickup(join(directory, 'missing')),
    (error) => {
      assert.ok(error instanceof PickupError && error instanceof Error);
      assert.equal(error.name, 'PickupError');
      assert.equal(error.code, 'ENOENT');
      assert.equal(error.errno, -2);
      assert.equal(error.path, join(directory, 'missing'));
      assert.equal(error.operation, 'open the pickup directory');
      return true;
    },
  );
  const inner = mkdtempSync(join(directory, 'inner-'));
  const pickup = new Pickup(inner);
  rmSync(inner, { recursive: true });
  await assert.rejects(pickup.submit(message), { name: 'PickupError', code: 'ENOENT' });
  assert.throws(() => pickup.submitSync(message), { name: 'PickupError', code: 'ENOENT' });
  const [failed, refused] = await pickup.submitMany([message, {}]);
  assert.ok(failed instanceof PickupError);
  assert.ok(refused instanceof MessageError);
});

test('options that are wrong are refused', () => {
  const wrong = [{ durable: true }, { durability: true }, { syncfs: 1 }, { staging: 1 }];
  for (const options of wrong) assert.throws(() => new Pickup(directory, options), TypeError);
  for (const name of [undefined, '', 1, 'a\0b']) assert.throws(() => new Pickup(name), TypeError);
  assert.throws(() => Pickup(directory), TypeError);
});

test('worker threads', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { Pickup } = require(workerData.module);
    new Pickup(workerData.directory).submit(workerData.message).then((receipt) => parentPort.postMessage(receipt));`;
  const workerData = { module: require.resolve('pmtaemail'), directory, message };
  const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData }));
  const receipts = await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))));
  receipts.forEach(assertHandedOver);
});
