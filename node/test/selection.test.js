'use strict';

// Test sends and previews: one recipient of a mail merge, or the first few.

const assert = require('node:assert/strict');
const { mkdtempSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { beforeEach, afterEach, test } = require('node:test');
const { Pickup, render, renderAsync } = require('pmtaemail');

const names = ['ann', 'bo', 'cy', 'dee', 'eve'];
const people = names.map((name) => ({ address: `${name}@example.org`, variables: { id: name } }));
const letter = { from: 'a@example.com', text: 'Hello', date: new Date(0), messageId: '{{ id }}@example.com', template: 'merge', merge: 'expanded' };
const merge = { ...letter, recipients: people };
async function* slowly(recipients = people) {
  yield* recipients;
}

let directory;
let pickup;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pickup-'));
  pickup = new Pickup(directory, { durability: 'none' });
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The names of those who get it. */
function reached({ files, recipients }) {
  const text = files.map((file) => readFileSync(join(directory, file), 'latin1')).join('');
  const found = names.filter((name) => text.includes(`${name}@example.org`));
  assert.equal(found.length, recipients);
  return found;
}

/** The same message in every form that a verb takes. */
const forms = () => [merge, JSON.stringify(merge), Buffer.from(JSON.stringify(merge))];

test('one recipient', async () => {
  for (const [index, name] of names.entries()) {
    const options = { recipient: index + 1 };
    const alone = render({ ...letter, recipients: [people[index]] });
    assert.ok(alone.includes(`To: ${name}@example.org`));
    for (const form of forms()) {
      assert.deepEqual(render(form, options), alone);
      assert.deepEqual(await renderAsync(form, options), alone);
      assert.deepEqual(reached(await pickup.submit(form, options)), [name]);
      assert.deepEqual(reached(pickup.submitSync(form, options)), [name]);
    }
    assert.deepEqual(await renderAsync({ ...letter, recipients: slowly() }, options), alone);
    assert.deepEqual(reached(await pickup.submit({ ...letter, recipients: slowly() }, options)), [name]);
  }
});

test('the first few', async () => {
  for (const limit of [1, 3, 5, 9]) {
    const first = names.slice(0, limit);
    for (const form of forms()) {
      assert.deepEqual(reached(await pickup.submit(form, { limit })), first);
      assert.deepEqual(reached(pickup.submitSync(form, { limit })), first);
    }
    assert.deepEqual(reached(await pickup.submit({ ...letter, recipients: slowly() }, { limit })), first);
  }
});

test('who is not selected by anything gets it, and what goes together keeps its own selection', async () => {
  for (const options of [undefined, {}, { recipient: undefined, limit: null }]) {
    assert.deepEqual(reached(await pickup.submit(merge, options)), names);
    assert.deepEqual(reached(pickup.submitSync(merge, options)), names);
  }
  const selections = [undefined, { limit: 2 }, undefined, { recipient: 5 }, { limit: 1 }];
  const receipts = await Promise.all(selections.map((options) => pickup.submit(merge, options)));
  assert.deepEqual(receipts.map(reached), [names, ['ann', 'bo'], names, ['eve'], ['ann']]);
});

test('what is selected stays alone, also while others are under way', async () => {
  const receipts = [];
  for (const options of [undefined, undefined, { limit: 1 }, undefined, { recipient: 2 }, undefined]) {
    receipts.push(pickup.submit(merge, options));
    // Each gets into the queue before the next, and none is done before all are there.
    for (let turn = 0; turn < 5; turn++) await null;
  }
  assert.deepEqual((await Promise.all(receipts)).map(reached), [names, names, ['ann'], names, ['bo'], names]);
});

test('who is not there, and a message that is no mail merge', async () => {
  const plain = { from: 'a@example.com', to: 'b@example.org', text: 'x' };
  const skipped = { ...letter, invalidRecipients: 'skip', recipients: ['nobody', null, ...people] };
  for (const [message, options, code, pointer] of [
    [merge, { recipient: 6 }, 'no_recipients', '/recipients'],
    [plain, { recipient: 1 }, 'conflict', ''],
    [skipped, { recipient: 1 }, 'invalid_address', '/recipients/0'],
    [skipped, { recipient: 2 }, 'no_recipients', '/recipients'],
    [{ ...letter, recipients: [...people, 'nobody'] }, { recipient: 1 }, 'invalid_address', '/recipients/5'],
  ]) {
    const expected = { name: 'MessageError', code };
    const told = (error) => error.code === code && error.problems[0].pointer === pointer;
    assert.throws(() => render(message, options), told);
    await assert.rejects(renderAsync(message, options), told);
    await assert.rejects(pickup.submit(message, options), expected);
    assert.throws(() => pickup.submitSync(message, options), expected);
  }
  assert.throws(() => pickup.submitSync(plain, { limit: 1 }), { code: 'conflict' });
  assert.deepEqual(reached(pickup.submitSync(skipped, { limit: 1 })), ['ann']);
  assert.deepEqual(reached(pickup.submitSync(skipped, { recipient: 3 })), ['ann']);
  assert.equal(readdirSync(directory).length, 2);
});

test('options that make no sense', async () => {
  for (const [options, name] of [
    [{ recipient: 0 }, 'RangeError'],
    [{ recipient: -1 }, 'RangeError'],
    [{ recipient: 1.5 }, 'RangeError'],
    [{ recipient: NaN }, 'RangeError'],
    [{ recipient: 2 ** 53 }, 'RangeError'],
    [{ recipient: '1' }, 'TypeError'],
    [{ recipient: 1n }, 'TypeError'],
    [{ recipients: 1 }, 'TypeError'],
    [null, 'TypeError'],
    [1, 'TypeError'],
  ]) {
    assert.throws(() => render(merge, options), { name });
    await assert.rejects(renderAsync(merge, options), { name });
    assert.throws(() => pickup.submitSync(merge, options), { name });
    await assert.rejects(pickup.submit(merge, options), { name });
  }
  assert.throws(() => [merge].map(render), { name: 'TypeError', message: /write `messages\.map\(\(message\) => render\(message\)\)`/ });
  assert.throws(() => render(merge, { limit: 1 }), TypeError);
  assert.throws(() => pickup.submitSync(merge, { limit: 0 }), RangeError);
  await assert.rejects(pickup.submit(merge, { limit: 1, recipient: 1 }), TypeError);
  assert.deepEqual(readdirSync(directory), []);
});
