'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { PassThrough } = require('node:stream');
const { afterEach, beforeEach, describe, test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { IdempotencyError, MessageError, Pickup, PickupError } = require('pmtaemail');
const { capture, read } = require('pmtaemail/testing');

const message = {
  from: 'Shop <shop@example.com>',
  to: ['Zoë Lee <ann@example.org>', 'bob@example.org'],
  cc: 'cy@example.org',
  bcc: 'dan@example.org',
  replyTo: 'help@example.com',
  subject: 'Grüße',
  text: 'Hello\nthere',
  html: '<p>Hello</p>',
  headers: { 'X-Order': '4711' },
  vmta: 'pool-a',
  job: 'spring',
  envid: 'order-1',
  attachments: [
    { filename: 'invoice.pdf', content: Buffer.from('%PDF-1.7') },
    { filename: 'logo.png', content: Buffer.from('PNG'), contentId: 'logo@example.com', disposition: 'inline' },
  ],
};
const plain = (text) => ({ from: 'shop@example.com', to: 'ann@example.org', text });
const merge = {
  from: 'shop@example.com',
  subject: 'Your order, {{ name }}',
  text: 'Hello {{ name }}',
  template: 'merge',
  recipients: [
    { address: 'ann@example.org', variables: { name: 'Ann' }, priority: 90 },
    { address: 'bob@example.org', variables: { name: 'Bob' }, envid: 'b-1' },
  ],
};
const texts = (outbox) => outbox.messages.map(({ text }) => text);

let folder;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'testing-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('a pickup in memory', () => {
  test('it tells all that was sent', async () => {
    const pickup = Pickup.memory();
    assert.ok(pickup instanceof Pickup);
    assert.equal(pickup.path, ':memory:');
    const { id, messageId, octets } = await pickup.submit(message);
    const [sent] = pickup.messages;
    assert.equal(pickup.messages.length, 1);
    assert.deepEqual({ ...sent, headers: undefined, octets: undefined }, {
      id,
      messageId,
      envelope: {
        from: 'shop@example.com',
        to: ['ann@example.org', 'bob@example.org', 'cy@example.org', 'dan@example.org'],
        envid: 'order-1',
        job: 'spring',
        vmta: 'pool-a',
      },
      from: [{ name: 'Shop', address: 'shop@example.com' }],
      to: [{ name: 'Zoë Lee', address: 'ann@example.org' }, { name: '', address: 'bob@example.org' }],
      cc: [{ name: '', address: 'cy@example.org' }],
      bcc: [{ name: '', address: 'dan@example.org' }],
      replyTo: [{ name: '', address: 'help@example.com' }],
      subject: 'Grüße',
      text: 'Hello\nthere',
      html: '<p>Hello</p>',
      attachments: [
        { filename: 'logo.png', type: 'image/png', disposition: 'inline', contentId: 'logo@example.com', content: Buffer.from('PNG') },
        { filename: 'invoice.pdf', type: 'application/pdf', disposition: 'attachment', content: Buffer.from('%PDF-1.7') },
      ],
      headers: undefined,
      octets: undefined,
    });
    assert.deepEqual(sent.headers.find(({ name }) => name === 'X-Order'), { name: 'X-Order', value: '4711' });
    assert.equal(sent.header('x-order'), '4711');
    assert.equal(sent.header('List-Unsubscribe'), undefined);
    assert.match(sent.octets.toString(), /^From: Shop <shop@example\.com>\r\n/m);
    assert.ok(sent.octets.length < octets);
  });

  test('what is not there is absent', () => {
    const pickup = Pickup.memory();
    pickup.submitSync({ from: 'shop@example.com', to: 'ann@example.org', html: '<p>Hello</p>' });
    const [sent] = pickup.messages;
    for (const name of ['subject', 'text', 'amp', 'calendar']) assert.ok(!(name in sent), name);
    assert.deepEqual([sent.cc, sent.bcc, sent.replyTo, sent.attachments], [[], [], [], []]);
    // As every message has it that gives none.
    assert.deepEqual(sent.envelope, { from: 'shop@example.com', to: ['ann@example.org'], envid: sent.id });
  });

  test('it has all verbs', async () => {
    const pickup = Pickup.memory();
    async function* recipients() {
      yield* merge.recipients;
    }
    const receipts = [
      pickup.submitSync(plain('1')),
      await pickup.submit(plain('2')),
      ...pickup.submitManySync([plain('3'), {}, plain('4')]),
      ...(await pickup.submitMany([plain('5'), plain('6')])),
      await pickup.submit({ ...merge, recipients: recipients() }),
    ];
    assert.deepEqual(texts(pickup), ['1', '2', '3', '4', '5', '6', 'Hello Ann', 'Hello Bob']);
    const [refused] = receipts.splice(3, 1);
    assert.ok(refused instanceof MessageError);
    const { envids } = receipts.at(-1);
    const [ann, bob] = pickup.messages.slice(-2);
    assert.deepEqual(ann.envelope, { from: 'shop@example.com', to: ['ann@example.org'], envid: envids[0], priority: 90 });
    assert.deepEqual([bob.envelope.envid, bob.subject, bob.id], ['b-1', 'Your order, Bob', receipts.at(-1).id]);
    assert.equal(ann.messageId, [...receipts.at(-1).recipientReceipts][0].messageId);
  });

  test('each has its own, and can be cleared', () => {
    const [one, other] = [Pickup.memory(), Pickup.memory()];
    one.submitSync(plain('1'));
    const [first] = one.messages;
    one.submitSync(plain('2'));
    assert.equal(one.messages[0], first);
    assert.equal(other.messages.length, 0);
    // What a test does with the list is its own.
    one.messages.pop();
    assert.equal(one.messages.length, 2);
    one.clear();
    assert.deepEqual(one.messages, []);
    one.submitSync(plain('3'));
    assert.deepEqual(texts(one), ['3']);
  });

  test('keys work there', async () => {
    const pickup = Pickup.memory();
    const options = { idempotencyKey: 'order-1' };
    await pickup.submit(plain('1'), options);
    assert.equal((await pickup.submit(plain('1'), options)).replayed, true);
    await assert.rejects(pickup.submit(plain('2'), options), IdempotencyError);
    assert.deepEqual(texts(pickup), ['1']);
  });

  test('a full one takes no more', async () => {
    const pickup = Pickup.memory();
    const large = { ...plain('1'), attachments: [{ filename: 'a.bin', content: Buffer.alloc(100 << 20) }] };
    pickup.submitSync(large);
    await assert.rejects(pickup.submit(large), (error) => {
      assert.ok(error instanceof PickupError);
      assert.match(error.message, /the pickup directory in memory is full/);
      assert.equal(error.mayBeDelivered, false);
      return true;
    });
    pickup.submitSync(plain('2'));
    pickup.clear();
    await pickup.submit(large);
  });
});

describe('a capture', () => {
  let outbox;
  beforeEach(() => { outbox = capture(); });
  afterEach(() => { outbox.end(); });

  test('the directory need not exist, and nothing is done with one that does', async () => {
    const nowhere = join(folder, 'nowhere');
    const pickup = new Pickup(nowhere, { staging: join(folder, 'staging'), state: join(folder, 'state') });
    assert.equal(pickup.path, nowhere);
    pickup.submitSync(plain('1'));
    await pickup.submit(plain('2'), { idempotencyKey: 'k' });
    await pickup.submit(merge);
    pickup.submitManySync([plain('3')]);
    await new Pickup(folder).submitMany([plain('4')]);
    assert.deepEqual(texts(outbox), ['1', '2', 'Hello Ann', 'Hello Bob', '3', '4']);
    assert.deepEqual(readdirSync(folder), []);
    assert.throws(() => new Pickup(nowhere, { durability: 'some' }), TypeError);
    await assert.rejects(pickup.submit({}), MessageError);
  });

  test('a pickup that was opened before is captured, until the end', async () => {
    outbox.end();
    const pickup = new Pickup(folder);
    outbox = capture();
    pickup.submitSync(plain('1'));
    await pickup.submit(plain('2'));
    outbox.end();
    outbox.end();
    assert.deepEqual(readdirSync(folder), []);
    const { files } = await pickup.submit(plain('3'));
    assert.deepEqual(readdirSync(folder), files);
    assert.deepEqual(texts(outbox), ['1', '2']);
    outbox.clear();
    assert.deepEqual(outbox.messages, []);
  });

  test('one that was opened under a capture is opened at last after its end', async () => {
    const directory = join(folder, 'pickup');
    const pickup = new Pickup(directory);
    outbox.end();
    await assert.rejects(pickup.submit(plain('1')), { name: 'PickupError', code: 'ENOENT' });
    await assert.rejects(pickup.submitMany([plain('1')]), PickupError);
    assert.throws(() => pickup.submitSync(plain('1')), PickupError);
    assert.throws(() => pickup.submitManySync([plain('1')]), PickupError);
    mkdirSync(directory);
    const { files } = pickup.submitSync(plain('1'));
    assert.deepEqual(readdirSync(directory), files);
    assert.deepEqual(outbox.messages, []);
  });

  test('what waits when it ends is in it', async () => {
    const pickup = new Pickup(folder);
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    async function* recipients() {
      await gate;
      yield* merge.recipients;
    }
    async function* messages() {
      await gate;
      yield plain('late');
    }
    const waiting = [
      ...Array.from({ length: 500 }, (_, n) => pickup.submit(plain(String(n)))),
      pickup.submit({ ...merge, recipients: recipients() }),
      pickup.submitMany(messages()),
    ];
    outbox.end();
    const after = pickup.submit(plain('after'));
    go();
    await Promise.all(waiting);
    const expected = [...Array.from({ length: 500 }, (_, n) => String(n)), 'Hello Ann', 'Hello Bob', 'late'];
    assert.deepEqual(texts(outbox).sort(), expected.sort());
    assert.deepEqual(readdirSync(folder), (await after).files);
  });

  test('what waits when it begins is not in it', async () => {
    outbox.end();
    const pickup = new Pickup(folder);
    const before = Array.from({ length: 500 }, (_, n) => pickup.submit(plain(String(n))));
    outbox = capture();
    await pickup.submit(plain('captured'));
    await Promise.all(before);
    assert.deepEqual(texts(outbox), ['captured']);
    assert.equal(readdirSync(folder).length, 500);
  });

  test('the newest has it, but not what was submitted to a pickup in memory', () => {
    const [pickup, memory] = [new Pickup(folder), Pickup.memory()];
    const inner = capture();
    pickup.submitSync(plain('inner'));
    memory.submitSync(plain('memory'));
    inner.end();
    pickup.submitSync(plain('outer'));
    assert.deepEqual([inner, outbox, memory].map(texts), [['inner'], ['outer'], ['memory']]);
  });

  test('it does not end because nobody holds its outbox', () => {
    // A test runner's hook may drop what `capture` returns.
    const program = `
      require('pmtaemail/testing').capture();
      gc();
      setImmediate(() => { gc(); new (require('pmtaemail').Pickup)('/nowhere').submitSync(${JSON.stringify(plain('1'))}); });`;
    execFileSync(process.execPath, ['--expose-gc', '-e', program], { cwd: __dirname, stdio: 'pipe' });
  });

  test('`using` ends it', () => {
    const inner = capture();
    inner[Symbol.dispose]();
    new Pickup(folder).submitSync(plain('1'));
    assert.deepEqual([inner, outbox].map(texts), [[], ['1']]);
  });

  test('what an application makes of octets arrives as it was', async () => {
    const content = Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 7) % 256));
    const sha256 = (octets) => createHash('sha256').update(octets).digest('hex');
    await new Pickup('/nowhere').submit({ ...plain('1'), attachments: [{ filename: 'a.bin', content }] });
    assert.equal(sha256(outbox.messages[0].attachments[0].content), sha256(content));
  });
});

test('the messages in a pickup file', () => {
  const pickup = new Pickup(folder, { durability: 'none' });
  const fileOf = ({ files: [name] }) => readFileSync(join(folder, name));
  const [sent] = read(fileOf(pickup.submitSync(message)));
  assert.ok(!('id' in sent));
  assert.deepEqual([sent.subject, sent.envelope.to.length, sent.attachments.length], ['Grüße', 4, 2]);
  const letters = read(fileOf(pickup.submitSync({ ...merge, merge: 'native' })), { received: new Date(0) });
  assert.deepEqual(letters.map(({ text, envelope }) => [text, envelope.to]), [['Hello Ann', ['ann@example.org']], ['Hello Bob', ['bob@example.org']]]);
  assert.equal(letters[0].header('date'), 'Thu, 1 Jan 1970 00:00:00 +0000');
  assert.throws(() => read(Buffer.from('no pickup file')), { name: 'Error', message: /line 1/ });
  assert.throws(() => read('text'), TypeError);
  assert.throws(() => read(Buffer.alloc(0), { recieved: new Date() }), TypeError);
  assert.throws(() => read(Buffer.alloc(0), { received: new Date(NaN) }), TypeError);
});

describe('worker threads', () => {
  /** What the program says, with `directory` and `Pickup`. */
  async function inWorker(program) {
    const source = `
      const { parentPort, workerData: directory } = require('node:worker_threads');
      const { Pickup } = require('pmtaemail');
      const { capture } = require('pmtaemail/testing');
      ${program}`;
    const worker = new Worker(source, { eval: true, workerData: folder });
    const said = [];
    worker.on('message', (words) => said.push(words));
    await new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve));
    return said;
  }
  const submits = (text) => `new Pickup(directory).submitSync(${JSON.stringify(plain(text))});`;

  test('a capture is the whole process’s', async () => {
    const outbox = capture();
    await inWorker(submits('1'));
    outbox.end();
    assert.deepEqual(texts(outbox), ['1']);
    await inWorker(submits('2'));
    assert.equal(readdirSync(folder).length, 1);
  });

  test('a thread that captures itself has what it submits', async () => {
    const pickup = new Pickup(folder);
    const outbox = capture();
    const worker = `
      const outbox = capture();
      ${submits('worker')}
      parentPort.postMessage(outbox.messages.map(({ text }) => text));
      outbox.end();
      ${submits('after')}`;
    assert.deepEqual(await inWorker(worker), [['worker']]);
    // It ends with its thread, too, and the newest capture is no other thread's where there is one of its own.
    const other = new Worker(`
      require('pmtaemail/testing').capture();
      require('node:worker_threads').parentPort.once('message', () => {}).postMessage('captured');`, { eval: true });
    const ended = new Promise((resolve) => other.once('exit', resolve));
    await new Promise((resolve) => other.once('message', resolve));
    pickup.submitSync(plain('main'));
    other.postMessage('end');
    await ended;
    outbox.end();
    assert.deepEqual(texts(outbox), ['after', 'main']);
    pickup.submitSync(plain('on disk'));
    assert.equal(readdirSync(folder).length, 1);
  });
});

for (const name of ['nodemailer6', 'nodemailer7', 'nodemailer8', 'nodemailer9', 'nodemailer']) {
  describe(name, () => {
    const nodemailer = require(name);
    const pmtaemail = require('pmtaemail/nodemailer');
    const mail = { from: 'Shop <shop@example.com>', to: 'ann@example.org', bcc: 'dan@example.org', subject: 'Grüße', text: 'Hello' };

    test('what it sends is captured', async () => {
      const outbox = capture();
      const nowhere = join(folder, 'nowhere');
      const transporter = nodemailer.createTransport(pmtaemail({ pickup: nowhere }));
      assert.equal(await transporter.verify(), true);
      await transporter.sendMail({ ...mail, attachments: [{ filename: 'a.txt', content: 'Hi' }], pmtaemail: { job: 'j' } });
      const [sent] = outbox.messages;
      assert.deepEqual([sent.subject, sent.text, sent.bcc, sent.envelope.job], ['Grüße', 'Hello', [{ name: '', address: 'dan@example.org' }], 'j']);
      assert.deepEqual(sent.attachments, [{ filename: 'a.txt', type: 'text/plain', disposition: 'attachment', content: Buffer.from('Hi') }]);
      assert.equal(existsSync(nowhere), false);
      // What it reads for a while when the capture ends belongs to it yet.
      const content = new PassThrough();
      const sending = transporter.sendMail({ ...mail, text: 'Slow', attachments: [{ filename: 'a.txt', content }] });
      outbox.end();
      content.end('Hi');
      await sending;
      assert.deepEqual(texts(outbox), ['Hello', 'Slow']);
      await assert.rejects(transporter.verify(), { code: 'ENOENT' });
      await assert.rejects(transporter.sendMail(mail), PickupError);
    });

    test('it sends to a pickup in memory', async () => {
      const pickup = Pickup.memory();
      const transporter = nodemailer.createTransport(pmtaemail({ pickup }));
      assert.equal(await transporter.verify(), true);
      await transporter.sendMail(mail);
      assert.deepEqual(texts(pickup), ['Hello']);
    });
  });
}
