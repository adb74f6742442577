'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
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
    assert.equal(receipt.envids, undefined);
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
  for (const fileMode of [null, 0o1777, -1, 1.5, 'rw', '1777', '']) wrong.push({ fileMode });
  for (const fileGroup of [null, -1, '', 'a:b', 2 ** 32, {}]) wrong.push({ fileGroup });
  for (const options of wrong) assert.throws(() => new Pickup(directory, options), TypeError);
  for (const name of [undefined, '', 1, 'a\0b']) assert.throws(() => new Pickup(name), TypeError);
  assert.throws(() => Pickup(directory), TypeError);
});

test('files have the mode and the group that are asked for', () => {
  for (const [fileMode, fileGroup] of [[0o604, process.getgid()], ['0660', String(process.getgid())]]) {
    const [file] = new Pickup(directory, { fileMode, fileGroup }).submitSync(message).files;
    const { mode, gid } = statSync(join(directory, file));
    assert.equal(mode & 0o7777, Number.parseInt(fileMode === 0o604 ? '604' : '660', 8));
    assert.equal(gid, process.getgid());
  }
  const fault = { name: 'PickupError', code: 'ERR_PICKUP', message: /there is no such group/ };
  assert.throws(() => new Pickup(directory, { fileGroup: 'no-such-group' }), fault);
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

const merge = { from: 'shop@example.com', template: 'merge', text: '{{ x }}.', variables: { x: 'a' } };

test('a merge says what each message is known by', async () => {
  const pickup = new Pickup(directory, { durability: 'none' });
  const recipients = Array.from({ length: 2_500 }, (_, n) => ({ address: `r${n}@example.org`, envid: n % 3 ? undefined : `e${n}` }));
  const both = { ...merge, recipients };
  const given = { ...both, messageId: '{{ n }}@example.com', recipients: recipients.map((row, n) => ({ ...row, variables: { n } })) };
  const [first, single, second] = await pickup.submitMany([both, message, given]);
  assert.equal(single.recipientReceipts, undefined);
  for (const [receipt, isGiven] of [[first, false], [second, true], [pickup.submitSync(given), true]]) {
    const all = [...receipt.recipientReceipts];
    assert.equal(all.length, 2_500);
    const file = readFileSync(join(directory, receipt.files[0]), 'latin1');
    all.forEach(({ index, envid, messageId }, n) => {
      assert.equal(index, n);
      assert.equal(envid, receipt.envids[n] ?? `e${n}`);
      if (isGiven) assert.equal(messageId, `${n}@example.com`);
      else assert.ok(file.includes(messageId.replace('@example.com', '')) && messageId.endsWith('@example.com'));
      if (receipt.envids[n] && !isGiven) assert.equal(messageId, `${envid}@example.com`);
    });
    assert.deepEqual([...receipt.recipientReceipts], all);
    assert.ok(!JSON.stringify(receipt).includes('recipientReceipts'));
  }
});

test('a merge says who got which envelope id', async () => {
  const pickup = new Pickup(directory);
  const recipients = ['ann@example.org', { address: 'bo@example.org', envid: 'e' }, { address: 'cy@example.org', variables: { x: 1 } }];
  for (const receipt of [await pickup.submit({ ...merge, recipients }), pickup.submitSync(JSON.stringify({ ...merge, recipients }))]) {
    const { envids, files, messageId } = receipt;
    assert.deepEqual([messageId, receipt.recipients, files.length, envids.length, envids[1]], [undefined, 3, 1, 3, null]);
    const file = readFileSync(join(directory, files[0]), 'latin1');
    for (const envid of [envids[0], 'e', envids[2]]) assert.ok(file.includes(`*envid="${envid}"`));
  }
  const { envids, files } = await pickup.submit({ ...merge, merge: 'expanded', recipients: new Set(recipients) });
  assert.deepEqual([files.length, envids.length], [3, 3]);
  await assert.rejects(pickup.submit({ ...merge, recipients: [] }), { code: 'no_recipients' });
});

test('merges among many messages', async () => {
  const pickup = new Pickup(directory);
  const small = { ...merge, recipients: Array(30).fill('ann@example.org') };
  // One that is too large to wait for the others, and several that are too large together.
  const large = { ...small, merge: 'expanded', text: 'x'.repeat(50_000) };
  const middle = { ...large, recipients: large.recipients.slice(0, 15) };
  const many = [message, small, large, { ...small, recipients: ['ann'] }, ...Array(50).fill(middle), message];
  for (const results of [await pickup.submitMany(many), pickup.submitManySync(many)]) {
    const files = results.map((result) => (result instanceof MessageError ? result.problems[0].pointer : result.files.length));
    assert.deepEqual(files, [1, 1, 30, '/recipients/0', ...Array(50).fill(15), 1]);
    assert.deepEqual(results.map(({ envids }) => envids?.length ?? 0), [0, 30, 30, 0, ...Array(50).fill(15), 0]);
    for (const { files = [], octets } of results) {
      const size = files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
      assert.equal(size, octets ?? 0);
    }
  }
});

test('a failed hand-over of a merge', () => {
  const inner = mkdtempSync(join(directory, 'inner-'));
  const pickup = new Pickup(inner);
  rmSync(inner, { recursive: true });
  const large = { ...merge, merge: 'expanded', text: 'x'.repeat(50_000), recipients: Array(30).fill('ann@example.org') };
  for (const message of [large, { ...large, text: 'x' }]) {
    assert.throws(() => pickup.submitSync(message), { name: 'PickupError', code: 'ENOENT' });
  }
});

test('the files of an expanded merge are not all in memory', () => {
  const code = `
    const { Pickup } = require('pmtaemail');
    const pickup = new Pickup(process.argv[1], { durability: 'none' });
    function* people(count) {
      for (let number = 0; number < count; number++) yield { address: 'r' + number + '@example.org' };
    }
    const message = { from: 'shop@example.com', merge: 'expanded', text: 'x'.repeat(100_000) };
    const submit = (count) => pickup.submit({ ...message, recipients: people(count) });
    (async () => {
      await submit(20);
      const before = process.resourceUsage().maxRSS;
      const { octets } = await submit(1_000);
      console.log(JSON.stringify([octets, (process.resourceUsage().maxRSS - before) * 1024]));
    })();`;
  const [octets, grown] = JSON.parse(execFileSync(process.execPath, ['-e', code, directory], { cwd: __dirname }));
  assert.ok(octets > 100_000_000);
  assert.ok(grown < 30_000_000, String(grown));
});
