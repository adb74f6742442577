'use strict';

const assert = require('node:assert/strict');
const { mkdirSync, mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { test } = require('node:test');
const { IdempotencyError, MessageError, Pickup, PickupError } = require('..');

function place(t) {
  const parent = mkdtempSync(join(tmpdir(), 'pmtaemail-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'pickup');
  mkdirSync(directory);
  return directory;
}

const message = (text) => ({ from: 'a@example.com', to: 'b@example.org', text });
const merge = { from: 'a@example.com', text: 'Hello', recipients: ['b@example.org', { address: 'c@example.org', envid: 'c-1' }] };

test('a message is submitted once under its key', async (t) => {
  const directory = place(t);
  const pickup = new Pickup(directory);
  const options = { idempotencyKey: 'order-1' };
  const first = await pickup.submit(message('Hello'), options);
  assert.equal(first.replayed, undefined);
  const again = [await pickup.submit({ ...message('Hello') }, options), pickup.submitSync(message('Hello'), options)];
  for (const receipt of again) assert.deepEqual(receipt, { ...first, replayed: true });
  assert.deepEqual(readdirSync(directory), first.files);
  await assert.rejects(pickup.submit(message('Other'), options), (error) => {
    assert(error instanceof IdempotencyError);
    assert.equal(error.code, 'ERR_KEY_CONFLICT');
    assert.equal(error.name, 'IdempotencyError');
    return true;
  });
  assert.throws(() => pickup.submitSync({ from: 'a@example.com' }, { idempotencyKey: 'order-2' }), MessageError);
  assert.equal(pickup.submitSync(message('Mended'), { idempotencyKey: 'order-2' }).replayed, undefined);
});

test('a mail merge too, with all its identifiers', async (t) => {
  const pickup = new Pickup(place(t));
  const options = { idempotencyKey: 'spring', limit: 2 };
  const [first, again] = [await pickup.submit(merge, options), await pickup.submit(merge, options)];
  assert.deepEqual({ ...again, replayed: undefined }, { ...first, replayed: undefined });
  assert.deepEqual([...again.recipientReceipts], [...first.recipientReceipts]);
  await assert.rejects(pickup.submit(merge, { ...options, limit: 1 }), { code: 'ERR_KEY_CONFLICT' });
});

test('one process or object at a time has a store', async (t) => {
  const directory = place(t);
  const first = new Pickup(directory);
  const options = { idempotencyKey: 'k' };
  await first.submit(message('Hello'), options);
  const second = new Pickup(directory);
  assert.throws(() => second.submitSync(message('Hello'), options), (error) => {
    assert(error instanceof PickupError);
    assert.match(error.message, /another process is using it/);
    return true;
  });
  const other = new Pickup(directory, { state: join(directory, '../state') });
  assert.equal(other.submitSync(message('Hello'), options).replayed, undefined);
});

test('a key has printable ASCII characters', (t) => {
  const pickup = new Pickup(place(t));
  for (const idempotencyKey of ['', 'å', 'a\n', 'x'.repeat(256), 1]) {
    assert.throws(() => pickup.submitSync(message('Hello'), { idempotencyKey }), {
      name: 'TypeError',
      message: /1 to 255 printable ASCII characters/,
    });
  }
});
