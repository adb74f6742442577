'use strict';

// What our transport hands over is read by a parser that nobody here wrote, and must say what nodemailer's own message
// says.

const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Readable } = require('node:stream');
const { MessageError, Pickup } = require('pmtaemail');
const pmtaemailTransport = require('pmtaemail/nodemailer');

const directory = mkdtempSync(join(tmpdir(), 'pickup-'));
const file = join(directory, 'hällo.txt');
const pickup = new Pickup(directory, { durability: 'none' });
const server = createServer((request, response) => response.end(`${request.url} ${request.headers['x-token']}`));

before(async () => {
  writeFileSync(file, 'from a file\n');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  rmSync(directory, { recursive: true });
  server.close();
});

const basic = () => ({
  from: '"Fred Foo 👻" <foo@example.com>',
  to: 'bar@example.com, "Baz, B." <baz@example.com>',
  subject: 'Hello ✔',
  text: 'Hello world?',
  html: '<b>Hello world?</b>',
  date: new Date('2026-01-02T03:04:05Z'),
  messageId: '<some-id@example.com>',
});

async function parse(octets) {
  const { default: PostalMime, decodeWords } = await import('postal-mime');
  const parsed = await PostalMime.parse(octets, { attachmentEncoding: 'base64' });
  for (const header of parsed.headers) header.value = decodeWords(header.value);
  return parsed;
}

/** What counts in a parsed message; line ends and their number at the end of a text do not. */
function essence(parsed) {
  // How nodemailer names images that were in the html.
  const chance = /[0-9a-f]{20}(?=@localhost)/g;
  const text = (value) => value?.replaceAll('\r\n', '\n').trimEnd();
  const names = ['from', 'to', 'cc', 'replyTo', 'subject', 'messageId', 'inReplyTo', 'references', 'date'];
  const attachments = parsed.attachments.map(({ filename, mimeType, disposition, contentId, content, method }) => ({
    filename,
    mimeType,
    disposition,
    contentId: contentId?.replace(chance, 'cid'),
    method,
    content: text(Buffer.from(content, 'base64').toString('latin1')),
  }));
  const own = /^(x-(?!priority|msmail)|list-|importance)/;
  return {
    ...Object.fromEntries(names.map((name) => [name, parsed[name]])),
    // nodemailer writes them with the commas that it was given.
    inReplyTo: parsed.inReplyTo?.replaceAll(',', ' '),
    references: parsed.references?.replaceAll(',', ' '),
    text: text(parsed.text),
    html: text(parsed.html)?.replace(chance, 'cid'),
    attachments: attachments.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    headers: parsed.headers.filter(({ key }) => own.test(key)).map(({ key, value }) => [key, clean(key, value.toLowerCase())]).sort(),
  };
}

/** A name in List-Id may have quotes or none, and a comment blanks; nodemailer 6 and 7 write the identifier as a URL. */
function clean(key, value) {
  if (key.startsWith('list-')) value = value.replace(/\( | \)/g, (blank) => blank.trim());
  return key === 'list-id' ? value.replace(/"/g, '').replace('<http://', '<') : value;
}

function handedOver({ receipt }) {
  const [name] = receipt.files;
  return readFileSync(join(directory, name));
}

/** The message of a pickup file, behind the lines that are for PowerMTA. */
function content(octets) {
  const text = octets.toString('latin1');
  const [lines] = text.match(/^(?:x-(?:sender|receiver|job|envid|virtual-mta): .*\r\n)+/) ?? text.match(/^XACK[^]*?\r\nDATA\r\n/);
  return octets.subarray(lines.length);
}

test('options', () => {
  assert.equal(pmtaemailTransport({ pickup: directory, durability: 'none', syncfs: false }).pickup.path, directory);
  const wrong = [
    [{ pikcup: directory }, /^There is no option `pikcup`; there are `pickup`, `durability`, `staging`, `syncfs`, `fileMode`, `fileGroup`, `state`\.$/],
    [{ pickup: directory, durabilty: 'none' }, /^There is no option `durabilty`/],
    [{ pickup, durability: 'none' }, /^This `pickup` is open already/],
    [{ pickup: 5 }, /must be a path/],
    ...[{}, undefined, null, { pickup: null }, directory, pickup].map((options) => [options, /^Give PowerMTA's pickup directory/]),
  ];
  for (const [options, message] of wrong) assert.throws(() => pmtaemailTransport(options), { name: 'TypeError', message });
});

for (const version of ['nodemailer6', 'nodemailer7', 'nodemailer8', 'nodemailer9', 'nodemailer']) describe(version, () => suite(require(version)));

function suite(nodemailer) {
  const transporter = nodemailer.createTransport(pmtaemailTransport({ pickup }));

  /** Sends a message by both transports. */
  async function assertSame(make) {
    const composer = nodemailer.createTransport({ streamTransport: true, buffer: true });
    const { message, envelope } = await composer.sendMail(make());
    const info = await transporter.sendMail(make());
    // Up to version 8 the composer's info has the envelope as it was given.
    assert.deepEqual(info.envelope, { ...envelope, to: [envelope.to].flat() });
    assert.deepEqual(info.accepted, info.envelope.to);
    assert.deepEqual(info.rejected, []);
    assert.equal(info.messageId, `<${info.receipt.messageId}>`);
    assert.match(info.response, new RegExp(info.receipt.id));
    const octets = handedOver(info);
    assert.deepEqual(essence(await parse(content(octets))), essence(await parse(message)));
    return octets.toString();
  }

  const messages = {
    'text and html': {},
    'text alone': { html: undefined },
    'nothing': { html: undefined, text: undefined },
    'addresses as objects and lists': {
      from: { name: 'Fred', address: 'foo@example.com' },
      to: ['a@example.com', '"B" <b@example.com>, c@example.com', { name: 'Dö', address: 'd@example.com' }],
      cc: { name: '', address: 'e@example.com' },
      bcc: ['f@example.com', 'F@example.com'],
      replyTo: 'G <g@example.com>',
    },
    'a thread': { inReplyTo: '<a@example.com>', references: '<a@example.com> <b@example.com>' },
    'references as a list': { references: ['<a@example.com>', '<b@example.com>'] },
    'priority': { priority: 'high' },
    'normal priority': { priority: 'normal' },
    'headers': { headers: { 'x-my-key': 'header value', 'x-another-key': ['a', 'b'], 'X-Number': 3 } },
    'headers as a list': { headers: [{ key: 'x-one', value: 'a' }, { key: 'x-one', value: 'b' }, { key: 'x-two', value: 'Ж' }] },
    'x-mailer': { xMailer: 'Our mailer 1.0' },
    'list': {
      list: {
        help: 'admin@example.com?subject=help',
        unsubscribe: [{ url: 'http://example.com/u', comment: 'Comment' }, 'unsubscribe@example.com'],
        id: { url: 'mylist.example.com', comment: 'This is my awesome list' },
      },
    },
    'list with names beyond ASCII': {
      list: {
        unsubscribe: { url: 'https://example.com/u?a=b,c', comment: 'Abmelden (für immer)' },
        id: { url: 'mylist.example.com', comment: 'Grüße, Ann' },
        help: [[{ url: 'https://example.com/h', comment: 'Hilfe' }, 'help@example.com']],
      },
    },
    'text from a Buffer': { text: Buffer.from('Übung') },
    'html from base64': { html: { content: Buffer.from('<i>ä</i>').toString('base64'), encoding: 'base64' } },
    'amp': { amp: '<!doctype html><html ⚡4email></html>' },
    'an event': { icalEvent: { method: 'request', filename: 'i.ics', content: 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR' } },
    'an event as a string': { icalEvent: 'BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR' },
    'names that are encoded already': {
      from: '=?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <a@example.com>',
      to: ['=?utf-8?B?SsO2?= =?utf-8?B?cmc=?= <b@example.org>', { name: '=?iso-8859-1?Q?J=F6rg?=', address: 'c@example.org' }],
      replyTo: '"=?utf-8?Q?J=C3=B6rg?=" <d@example.org>',
    },
    'texts that are encoded already': {
      subject: 'Re: =?utf-8?Q?J=C3=B6rg=2C?= <3',
      headers: { 'X-Note': '=?utf-8?Q?J=C3=B6rg?=', 'X-Prepared': { prepared: true, value: 'a\r\n =?utf-8?B?SsO2cmc=?=' } },
      attachments: [{ filename: '=?utf-8?Q?J=C3=B6rg=2Etxt?=', content: 'x' }],
    },
    'names without quotes': { from: 'Lee, Ann <a@example.com>', to: ['[Acme] Support <b@example.org>', 'c@example.org (Bo Lee)', 'Acme @ Home <d@example.org>'] },
    'a subject that is a number': { subject: 12345 },
    'a subject that is false': { subject: false },
    'references with commas': { references: '<a@example.com>,<b@example.com>', inReplyTo: '<c@example.com>,<d@example.com>' },
    'references with commas among the headers': { headers: { References: '<a@example.com>,<b@example.com>', 'in-reply-to': '<c@example.com>' } },
    'one-click unsubscription': {
      list: { unsubscribe: [{ url: 'https://example.com/u?a=b', comment: 'Unsubscribe' }, 'unsubscribe@example.com'] },
      headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    },
    'priority among the headers': { headers: { 'X-Priority': '1 (Highest)', 'X-MSMail-Priority': 'High', Importance: 'High' } },
    'a date among the headers': { date: undefined, headers: { Date: 'Fri, 02 Jan 2026 04:04:05 +0100' } },
    'a Message-ID among the headers': { messageId: undefined, headers: { 'Message-ID': '<of-a-header@example.com>' } },
    'empty header values': { headers: { 'X-Empty': '', 'X-Blank': [' ', 'a', ''], 'X-Null': null, 'X-False': false, 'X-Zero': 0, 'X-N': 5 } },
    'empty header values in a list': { headers: [{ key: 'X-A', value: '' }, { key: 'X-A', value: 'a' }] },
    'address fields among the headers': { from: '', to: '', subject: '', headers: { From: 'a@example.com', To: 'b@example.org', Subject: 'Hi', 'Reply-To': 'c@example.org' } },
    'options win over headers': {
      priority: 'high',
      xMailer: 'b',
      replyTo: 'a@example.com',
      references: '<a@example.com>',
      headers: { 'X-Priority': '5', Importance: 'low', 'X-Mailer': 'a', 'reply-to': 'b@example.com', 'Message-ID': '<b@example.com>', References: '<b@example.com>', date: 'Thu, 1 Jan 1970 00:00:00 +0000', Subject: 'b' },
    },
    'an event without METHOD': { icalEvent: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR' },
    'an event whose method is told beside it': { icalEvent: { method: 'reply', content: Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR').toString('base64'), encoding: 'base64' } },
    'an event from a stream': () => ({ icalEvent: { method: 'request', content: Readable.from([Buffer.from('BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR')]) } }),
    'texts from streams': () => ({ text: Readable.from(['Hello ', Buffer.from('wörld')]), html: { content: Readable.from([Buffer.from('<i>ä</i>')]) } }),
    'an attachment that is not in a list': { attachments: { path: 'data:text/plain;base64,aGVsbG8=', filename: 'a.txt' } },
    'data: images in the html': { attachDataUrls: true, html: '<img src="data:image/png;base64,iVBORw0KGgo=">' },
  };

  for (const [name, fields] of Object.entries(messages)) {
    const make = () => ({ ...basic(), ...(typeof fields === 'function' ? fields() : fields) });
    test(name, async () => void (await assertSame(make)));
  }

  const attachments = {
    'a string': () => ({ filename: 'text1.txt', content: 'hello wörld!' }),
    'a Buffer': () => ({ filename: 'text2.txt', content: Buffer.from('hello world!', 'utf-8') }),
    'a file': () => ({ filename: 'text3.txt', path: file }),
    'a file without a name of its own': () => ({ path: file }),
    'a stream': () => ({ filename: 'text4.txt', content: Readable.from(['str', 'eam']) }),
    'a content type': () => ({ filename: 'text.bin', content: 'hello world!', contentType: 'text/plain' }),
    'a URL': () => ({ filename: 'x.txt', href: `http://127.0.0.1:${server.address().port}/a`, httpHeaders: { 'x-token': 't' } }),
    'base64': () => ({ filename: 'text1.txt', content: 'aGVsbG8gd29ybGQh', encoding: 'base64' }),
    'hex': () => ({ filename: 'a.bin', content: '00ff', encoding: 'hex' }),
    'a data: URI': () => ({ path: 'data:text/plain;base64,aGVsbG8gd29ybGQ=' }),
    'an inline image': () => ({ filename: 'image.png', content: Buffer.from('png'), cid: 'unique@nodemailer.com' }),
    'an inline text': () => ({ filename: 'a.txt', content: 'a', contentDisposition: 'inline' }),
    'no name': () => ({ filename: false, content: Buffer.from('x'), contentType: 'application/pdf' }),
    'a name beyond ASCII': () => ({ filename: 'Prüfung – 测试.pdf', content: Buffer.from('x') }),
    'a message': () => ({ contentType: 'message/rfc822', content: 'From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n' }),
    'a message from a file': () => ({ contentType: 'message/rfc822', path: 'data:message/rfc822,From:%20a@example.com%0D%0A%0D%0AHello' }),
    'a message with a name': () => ({ filename: 'a.eml', contentType: 'message/rfc822', content: 'From: a@example.com\r\n\r\nHello\r\n' }),
    'nothing in it': () => ({ filename: 'empty.bin', content: '' }),
  };

  for (const [name, make] of Object.entries(attachments)) {
    test(`attached: ${name}`, async () => void (await assertSame(() => ({ ...basic(), attachments: [make()] }))));
  }

  test('all attachments at once', async () => {
    await assertSame(() => ({ ...basic(), attachments: Object.values(attachments).map((make) => make()) }));
  });

  test('no access to files and URLs where nodemailer forbids it', async () => {
    const forbidden = [{ disableFileAccess: true, attachments: [{ path: file }] }, { disableUrlAccess: true, html: { href: 'http://127.0.0.1/' } }];
    for (const fields of forbidden) await assert.rejects(transporter.sendMail({ ...basic(), ...fields }), /access rejected/i);
  });

  test('the envelope', async () => {
    const recipients = ['bar@example.com', 'baz@example.com'];
    const octets = await assertSame(() => ({ ...basic(), envelope: { from: 'bounce@example.com', to: recipients } }));
    assert.match(octets, /^x-sender: bounce@example\.com\r\nx-receiver: bar@example.com\r\nx-receiver: baz@example.com\r\n/);
    const hidden = await assertSame(() => ({ ...basic(), bcc: 'secret@example.com' }));
    assert.equal(hidden.match(/secret@/g).length, 1);
  });

  test('From, where only the envelope tells it', async () => {
    for (const to of ['bar@example.com', 'other@example.com']) {
      const fields = { from: undefined, to: 'bar@example.com', envelope: { from: 'bounce@example.com', to } };
      assert.match(handedOver(await transporter.sendMail({ ...basic(), ...fields })).toString(), /^From: bounce@example\.com\r$/m);
    }
    const nobody = transporter.sendMail({ ...basic(), from: undefined, replyTo: 'a@example.com' });
    await assert.rejects(nobody, { code: 'missing_field' });
  });

  test('DSN and fields of our own', async () => {
    const options = { id: 'some-id', return: 'headers', notify: ['failure', 'delay'] };
    const octets = await assertSame(() => ({ ...basic(), dsn: options, pmtaemail: { verp: true } }));
    assert.match(octets, /RET=HDRS/);
    assert.match(octets, /ENVID=some-id/);
    assert.match(octets, /NOTIFY=FAILURE,DELAY/);
    assert.match(octets, /VERP/);
  });

  test('PowerMTA’s header fields are fields of the message', async () => {
    const headers = { 'X-Job': 'spring', 'x-virtual-mta': 'pool-a', 'X-Envid': 'e1' };
    const others = [{ headers }, { headers: Object.entries(headers).map(([key, value]) => ({ key, value })) }, { headers, sender: 'boss@example.com' }];
    for (const fields of others) {
      const octets = handedOver(await transporter.sendMail({ ...basic(), ...fields })).toString();
      for (const line of ['x-job: spring', 'x-virtual-mta: pool-a', 'x-envid: e1']) assert.ok(octets.includes(`${line}\r\n`), octets);
      assert.doesNotMatch(content(Buffer.from(octets)).toString(), /^x-(job|virtual|envid)/im);
    }
    const octets = handedOver(await transporter.sendMail({ ...basic(), headers, pmtaemail: { job: 'autumn' } })).toString();
    assert.match(octets, /^x-job: autumn\r$/m);
    const twice = transporter.sendMail({ ...basic(), headers: { 'X-Job': ['a', 'b'] } });
    await assert.rejects(twice, { code: 'reserved_header' });
  });

  test('a mail merge', async () => {
    const letter = { from: 'Shop <shop@example.com>', subject: 'Hello {{ name }}', html: '<p>{{ name }}</p>', headers: { 'X-Job': 'spring', 'X-For': '{{ name }}' } };
    function* people() {
      yield { address: 'ann@example.org', variables: { name: 'Ann' } };
      yield { address: 'bob@example.org', variables: { name: 'Bob' }, envid: 'b' };
    }
    const info = await transporter.sendMail({ ...letter, pmtaemail: { template: 'merge', merge: 'expanded', recipients: people() } });
    assert.deepEqual(info.envelope, { from: 'shop@example.com', to: [] });
    assert.deepEqual([info.messageId, info.accepted, info.receipt.recipients, info.receipt.envids[1]], ['', [], 2, null]);
    const mails = await Promise.all(info.receipt.files.map((name) => parse(content(readFileSync(join(directory, name))))));
    assert.deepEqual(mails.map(({ to, subject, html }) => [to[0].address, subject, html.trim()]).sort(), [
      ['ann@example.org', 'Hello Ann', '<p>Ann</p>'],
      ['bob@example.org', 'Hello Bob', '<p>Bob</p>'],
    ]);
    const ids = mails.map(({ messageId }) => messageId);
    assert.equal(new Set(ids).size, 2);
    assert.ok(ids.includes(`<${info.receipt.envids[0]}@example.com>`), String(ids));
    async function* slowly() {
      yield* people();
    }
    const { receipt } = await transporter.sendMail({ ...letter, pmtaemail: { template: 'merge', recipients: slowly() } });
    assert.equal(receipt.recipients, 2);
    const both = transporter.sendMail({ ...letter, to: 'cy@example.org', pmtaemail: { template: 'merge', recipients: [...people()] } });
    await assert.rejects(both, { code: 'conflict' });
  });

  test('the Message-ID that nobody gave is that of the receipt', async () => {
    const { messageId, receipt } = await transporter.sendMail({ ...basic(), messageId: undefined });
    assert.equal(messageId, `<${receipt.id}@example.com>`);
  });

  const onlyRaw = {
    'another sender': { sender: 'boss@example.com' },
    'alternatives': { alternatives: [{ contentType: 'text/x-web-markdown', content: '**Hello**' }] },
    'watch': { watchHtml: '<b>Hello</b>' },
    'attachments with headers': { attachments: [{ filename: 'a.txt', content: 'a', headers: { 'x-part': '1' } }] },
    'raw attachments': { attachments: [{ raw: 'Content-Type: text/plain\r\n\r\nhello' }] },
    'headers that are ours to write': { headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } },
    'an envelope of other recipients': { envelope: { from: 'a@example.com', to: 'other@example.com' } },
    'groups': { to: 'undisclosed-recipients:;', bcc: 'a@example.com' },
    'a group without a semicolon': { to: 'Team: a@example.com, b@example.com' },
    'a name with a colon, which is a group': { from: 'Acme: Support <a@example.com>' },
    'several authors': { from: 'a@example.com, b@example.com' },
    'a sender among the headers': { headers: { Sender: 'boss@example.com' } },
    'a text with headers': { html: { content: '<b>Hello</b>', headers: { 'x-part': '1' } } },
    'an alternative that is not in a list': { alternatives: { contentType: 'text/x-web-markdown', content: '**Hello**' } },
  };

  for (const [name, fields] of Object.entries(onlyRaw)) {
    test(`by nodemailer's own MIME: ${name}`, async () => void (await assertSame(() => ({ ...basic(), ...fields }))));
  }

  test('a raw message', async () => {
    const raw = 'From: foo@example.com\r\nTo: someone@example.com\r\nSubject: test message\r\n\r\nHello world!';
    const envelope = { from: 'foo@example.com', to: ['bar@example.com'] };
    const path = join(directory, 'raw.txt');
    writeFileSync(path, raw);
    for (const form of [raw, Buffer.from(raw), Readable.from([raw]), { path }]) {
      const info = await transporter.sendMail({ raw: form, envelope });
      const octets = handedOver(info).toString();
      assert.match(octets, /^x-sender: foo@example.com\r\nx-receiver: bar@example.com\r\nx-envid: [0-9a-z]{26}\r\nDate: .*Subject: test message.*\r\nHello world!\r\n$/s);
      assert.ok(octets.includes(`Message-ID: ${info.messageId}`));
    }
  });

  test('a plugin that changes the stream', async () => {
    const plugged = nodemailer.createTransport(pmtaemailTransport({ pickup: directory }));
    plugged.use('stream', (mail, done) => {
      mail.message.setHeader('X-Plugged', 'yes');
      done();
    });
    assert.match(handedOver(await plugged.sendMail(basic())).toString(), /X-Plugged: yes/i);
  });

  test('a message with problems is refused with them', async () => {
    await assert.rejects(transporter.sendMail({ ...basic(), subject: 'a\nBcc: x@example.com' }), MessageError);
    await assert.rejects(transporter.sendMail({ ...basic(), to: undefined }), { code: 'no_recipients' });
    for (const content of [5, true, [1, 2], {}]) {
      const refused = transporter.sendMail({ ...basic(), attachments: [{ filename: 'a.bin', content }] });
      await assert.rejects(refused, { code: 'wrong_type' }, String(content));
    }
    await assert.rejects(transporter.sendMail({ ...basic(), requireTLSExtensionEnabled: true }), { code: 'EREQUIRETLS' });
  });

  test('callbacks, verify, idle and close', async () => {
    const info = await new Promise((resolve, reject) => {
      transporter.sendMail(basic(), (error, info) => (error ? reject(error) : resolve(info)));
    });
    assert.equal(info.receipt.recipients, 2);
    assert.equal(await transporter.verify(), true);
    assert.equal(transporter.isIdle(), true);
    assert.equal(transporter.transporter.name, 'pmtaemail');
    transporter.close();
  });
}
