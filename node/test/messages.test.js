'use strict';

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const vm = require('node:vm');
const { check, MessageError, render, renderAsync, version, warnings } = require('pmtaemail');

const message = {
  from: 'Shop <shop@example.com>',
  to: ['ann@example.org', { name: 'Zoë', address: 'zoe@example.org' }],
  subject: 'Grüße, 你好, 😀',
  text: 'Hello\n'.repeat(1000),
  html: '<p>Ça va?</p>',
  date: '2026-01-02T03:04:05Z',
  messageId: 'a@example.com',
};

const codes = (message) => check(message).map(({ code, pointer }) => `${pointer} ${code}`);
const attached = (content, more) => ({ ...message, attachments: [{ filename: 'a.bin', content, ...more }] });

test('an object, its JSON and the octets of that are one message', async () => {
  const octets = render(message);
  assert.ok(Buffer.isBuffer(octets));
  assert.match(octets.toString(), /^Date: Fri, 2 Jan 2026 03:04:05 \+0000\r\n/);
  const json = JSON.stringify(message);
  const forms = [json, Buffer.from(json), new Uint8Array(Buffer.from(json)), Uint8Array.from(Buffer.from(json)).buffer];
  for (const form of forms) assert.deepEqual(render(form), octets);
  for (const form of [message, ...forms]) assert.deepEqual(await renderAsync(form), octets);
});

test('warnings are told of any message, and problems of a message are none', () => {
  assert.deepEqual(warnings(message), []);
  const [warning, ...others] = warnings({ ...message, to: 'nobody', subject: 'Hello *|FNAME|*' });
  assert.deepEqual([warning.code, warning.pointer, others], ['foreign_placeholder', '/subject', []]);
  for (const none of ['{', null, [], { ...message, subject: Symbol('a') }]) assert.deepEqual(warnings(none), []);
});

test('text of every width comes through', () => {
  const texts = ['', 'a', 'é', '€', '😀', '\u00ff', '\u0100', '\ufeff', '\0', '\ud83d\ude00'.repeat(40_000), 'ж'.repeat(50_000)];
  for (const one of texts) {
    for (const other of texts) {
      const both = { ...message, text: one, html: other };
      assert.deepEqual(render(both), render(JSON.stringify(both)));
    }
  }
});

test('a message of a megabyte or two', () => {
  const large = { ...message, text: 'Hello, world!\n'.repeat(80_000), html: 'Привет!\n'.repeat(80_000) };
  assert.deepEqual(render(large), render(JSON.stringify(large)));
});

test('octets cross as they are', () => {
  const octets = Buffer.from([0, 1, 254, 255, 128]);
  const expected = render(attached(octets.toString('base64')));
  const shared = new SharedArrayBuffer(5);
  new Uint8Array(shared).set(octets);
  const forms = [
    octets,
    Uint8Array.from(octets),
    Uint8Array.from(octets).buffer,
    Buffer.concat([Buffer.from('xx'), octets, Buffer.from('x')]).subarray(2, 7),
    shared,
    new Uint8Array(shared),
  ];
  for (const form of forms) assert.deepEqual(render(attached(form)), expected);
  assert.deepEqual(render(attached(Buffer.alloc(0))), render(attached('')));
  const large = Buffer.alloc(3_000_000, 'abc');
  assert.deepEqual(render(attached(large)), render(attached(large.toString('base64'))));
});

test('dates, undefined, and objects that know their JSON', () => {
  const date = new Date('2026-01-02T03:04:05Z');
  const same = { ...message, date, cc: undefined, bcc: null, html: Object('<p>Ça va?</p>') };
  assert.deepEqual(render(same), render(message));
  assert.deepEqual(render({ toJSON: () => message }), render(message));
  assert.deepEqual(render(Object.assign(Object.create(null), message)), render(message));
  class Letter {
    constructor() {
      Object.assign(this, message);
    }
  }
  assert.deepEqual(render(new Letter()), render(message));
  assert.deepEqual(render(vm.runInNewContext(`(${JSON.stringify(message)})`)), render(message));
});

test('numbers keep their digits', () => {
  const merge = { from: 'shop@example.com', to: 'ann@example.org', template: 'merge', text: '{{ x }}.' };
  const filled = (variables) => render({ ...merge, variables }).toString().split('\r\n\r\n')[1].trim();
  const digits = '12345678901234567890123';
  for (const [value, text] of [
    [5, '5'], [-5, '-5'], [19.9, '19.9'], [0.1e-7, '1e-8'], [1e21, '1e+21'], [2 ** 53, '9007199254740992'], [-0, '0'],
    [5n, '5'], [-BigInt(digits), `-${digits}`], [2n ** 64n, '18446744073709551616'],
    [Object(5n), '5'], [Object(1.5), '1.5'],
  ]) {
    assert.equal(filled({ x: value }), `${text}.`);
    const nested = render({ ...merge, text: '{{ a.x }}.', variables: { a: { x: value } } });
    assert.match(nested.toString(), new RegExp(`\\r\\n${text.replaceAll(/[.+]/g, '\\$&')}\\.`));
  }
  for (const literal of [digits, '19.90', '1.0', '-0', '1E400']) {
    const json = JSON.stringify({ ...merge, variables: { x: '@' } }).replace('"@"', literal);
    for (const message of [json, Buffer.from(json)]) {
      assert.match(render(message).toString(), new RegExp(`\\r\\n${literal.replaceAll('.', '\\.')}\\.`));
    }
  }
  assert.deepEqual(codes({ ...merge, subject: 12n, variables: { x: 1 } }), ['/subject wrong_type']);
});

test('what JSON cannot say is of the wrong type', () => {
  const values = [() => 1, Symbol('x'), 12n, NaN, Infinity, 1, 1.5, -1, true, new Map(), new Set(), Promise.resolve(), /x/];
  for (const value of [...values, new Float64Array(1), new DataView(new ArrayBuffer(1)), Buffer.from('x')]) {
    assert.deepEqual(codes({ ...message, subject: value }), ['/subject wrong_type'], String(value));
  }
  for (const value of [undefined, null, 1, 'null', [], () => 1, Symbol('x'), new Date()]) {
    assert.equal(check(value).length > 0, true);
  }
  assert.deepEqual(codes(undefined), [' wrong_type']);
});

test('what JSON cannot say is told with what to give in its place', () => {
  const sentences = [
    [() => 1, /it is a function or a symbol\.$/],
    [Symbol('x'), /it is a function or a symbol\.$/],
    [NaN, /not NaN or infinity: leave it out, or give null\.$/],
    [-Infinity, /not NaN or infinity: leave it out, or give null\.$/],
    [new Date(NaN), /it is an invalid Date\.$/],
    [Promise.resolve(Buffer.from('x')), /it is a promise: await it first\.$/],
    [Readable.from(['x']), /it is a stream .*: read it to its end first\.$/],
    [new ReadableStream(), /it is a stream .*: read it to its end first\.$/],
    [new Blob(['x']), /it is a Blob: give what its `arrayBuffer\(\)` resolves to\.$/],
    [new Map([['a', 'b']]), /it is a Map .*: give `Object\.fromEntries\(…\)` of it\.$/],
    [new Headers({ a: 'b' }), /it is a Map .*: give `Object\.fromEntries\(…\)` of it\.$/],
    [/x/, /it is an object of a class that JSON has no word for\.$/],
    [new WeakMap(), /it is an object of a class that JSON has no word for\.$/],
    [new Float64Array(1), /it is an object of a class that JSON has no word for\.$/],
    [new Error('x'), /it is an object of a class that JSON has no word for\.$/],
    [new Date(), /not a path or another object that converts to text/],
    [new URL('file:///etc/motd'), /not a path or another object that converts to text/],
    [new (class { toJSON() { return 'x'; } })(), /not a path or another object that converts to text/],
    [new Set(['x']), /the whole content as a string or bytes, not an array of pieces\.$/],
  ];
  for (const [value, sentence] of sentences) {
    const [problem, ...others] = check(attached(value));
    assert.deepEqual([problem.code, problem.pointer, others], ['wrong_type', '/attachments/0/content', []]);
    assert.match(problem.detail, sentence);
    // In variables too, but for what has a text or elements there.
    if (/not a/.test(String(sentence))) continue;
    const [inVariables] = check({ ...message, variables: { list: [value] } });
    assert.deepEqual([inVariables.pointer, inVariables.code], ['/variables/list/0', 'wrong_type']);
    assert.match(inVariables.detail, sentence);
  }
  // It is not missing as well.
  assert.deepEqual(codes({ ...message, template: 'merge', text: '{{ x }}', variables: { x: NaN } }), ['/variables/x wrong_type']);
  assert.match(check(Promise.resolve(message))[0].detail, /await it first/);
  assert.match(check({ ...message, headers: new Map([['X-A', 'a']]) })[0].detail, /Object\.fromEntries/);
});

test('a finished message that is given as one of ours', () => {
  for (const mail of [render(message), render(message).toString()]) {
    const [{ code, detail }] = check(mail);
    assert.equal(code, 'not_json');
    assert.match(detail, /looks like a finished message .* `raw`/);
    assert.deepEqual(check({ from: 'a@example.com', raw: mail }).filter(({ pointer }) => pointer === ''), []);
  }
});

test('iterables are lists', () => {
  const to = message.to;
  class List {
    *[Symbol.iterator]() {
      yield* to;
    }
  }
  const forms = [new Set(to), to.values(), new List(), { [Symbol.iterator]: () => to.values() }, vm.runInNewContext('(function* (to) { yield* to; })')(to)];
  for (const form of forms) assert.deepEqual(render({ ...message, to: form }), render(message));
  function* broken() {
    yield 'ann@example.org';
    throw new RangeError('no');
  }
  assert.throws(() => render({ ...message, to: broken() }), RangeError);
  // Pairs of name and value are no elements.
  for (const pairs of [new Map([['a', 'b']]), new URLSearchParams('a=b'), new Headers({ a: 'b' })]) {
    assert.deepEqual(codes({ ...message, headers: pairs }), ['/headers wrong_type']);
  }
  const loop = new Set();
  loop.add(loop);
  assert.deepEqual(codes({ ...message, to: loop }), [' not_json']);
});

test('a merge is rendered for its first recipient', async () => {
  const variables = {
    text: 'å', small: 5, large: 2 ** 53, price: 19.9, whole: 1.0, yes: true, day: new Date('2026-01-02T03:04:05Z'), list: new Set(['a', 'b']), nil: null, nothing: undefined,
  };
  const template =
    '{{ text }} {{ small }} {{ large }} {{ price }} {{ whole }} {{ yes }} {{ day }} {% for one in list %}{{ one }}{% endfor %} {{ nil is defined }}{{ nothing is defined }}';
  const merge = { from: message.from, template: 'jinja', text: template, date: message.date };
  const recipients = [{ name: 'Zoë', address: 'zoe@example.org', variables }, { address: 'ann@example.org', variables }];
  for (const form of [recipients, new Set(recipients)]) {
    for (const octets of [render({ ...merge, recipients: form }), await renderAsync({ ...merge, recipients: form })]) {
      assert.match(octets.toString(), /\r\nTo: =\?utf-8\?Q\?Zo=C3=AB\?= <zoe@example\.org>\r\n/i);
      const text = octets.toString().split('\r\n\r\n')[1].replace(/=\r\n/g, '').trim();
      assert.equal(text, '=C3=A5 5 9007199254740992 19.9 1 true 2026-01-02T03:04:05.000Z ab falsefalse');
    }
  }
  for (const value of [() => 1, Symbol('x'), NaN, Infinity, new Map(), /x/, Buffer.from('x')]) {
    const found = codes({ ...merge, recipients: [{ address: 'ann@example.org', variables: { ...variables, unused: value } }] });
    assert.deepEqual(found, ['/recipients/0/variables/unused wrong_type'], String(value));
  }
});

test('very many recipients', () => {
  function* people() {
    for (let number = 0; number < 60_000; number++) yield { address: `r${number}@example.org`, variables: { x: number % 100 ? 'å' : 'Я' } };
  }
  const merge = { from: message.from, template: 'merge', text: '{{ x }}' };
  assert.deepEqual(check({ ...merge, recipients: people() }), []);
  const problems = codes({ ...merge, recipients: [...people(), { address: 'ann' }] });
  assert.deepEqual(problems, ['/recipients/60000/variables/x missing_variable', '/recipients/60000/address invalid_address']);
});

test('half of a surrogate pair is a problem with its place', () => {
  assert.deepEqual(codes({ ...message, subject: 'a\ud800b' }), ['/subject lone_surrogate']);
  // Two halves that only stand beside each other between fields are no pair.
  assert.deepEqual(codes({ ...message, text: 'a\ud83d', html: '\ude00b' }), ['/text lone_surrogate', '/html lone_surrogate']);
  assert.deepEqual(codes('{"from": "a@b.example", "to": "a@b.example", "subject": "\udc00"}'), ['/subject lone_surrogate']);
  assert.equal(codes({ ...message, '\ud800': 1 }).length, 1);
});

test('every problem is told at once', async () => {
  const wrong = { too: 'x', from: 'a@example.com', to: [{ adress: 'b@example.com' }], subject: 'a\nb' };
  const problems = check(wrong);
  assert.deepEqual(problems, check(JSON.stringify(wrong)));
  assert.ok(problems.length >= 3);
  for (const verb of [render, renderAsync]) {
    await assert.rejects(
      async () => verb(wrong),
      (error) => {
        assert.ok(error instanceof MessageError && error instanceof Error);
        assert.equal(error.name, 'MessageError');
        assert.equal(error.code, problems[0].code);
        assert.deepEqual(error.problems, problems);
        assert.match(error.message, /^\/too: unknown_field: .*\n/);
        return true;
      },
    );
  }
});

test('hostile objects do no harm', () => {
  const cycle = { ...message };
  cycle.cc = [cycle];
  assert.deepEqual(codes(cycle), [' not_json']);
  let deep = [];
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assert.deepEqual(codes(deep), [' not_json']);
  assert.deepEqual(codes({ toJSON() { return this; } }), [' not_json']);

  const refuse = { get from() { throw new RangeError('no'); } };
  assert.throws(() => check(refuse), RangeError);
  assert.throws(() => render(new Proxy({}, { ownKeys() { throw new RangeError('no'); } })), RangeError);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.throws(() => render(proxy), TypeError);
  const proxied = new Proxy(message, {});
  assert.deepEqual(render(proxied), render(message));

  // A getter that calls in again, and one that shrinks what is being read.
  const again = { ...message, get subject() { return String(render(message).length); } };
  assert.deepEqual(render(again), render({ ...again }));
  const list = ['a@example.com', 'b@example.com'];
  const shrink = { ...message, to: [{ get address() { list.length = 0; return 'c@example.com'; } }], cc: list };
  assert.deepEqual(check(shrink), []);
  const detached = new ArrayBuffer(8);
  const view = new Uint8Array(detached);
  structuredClone(detached, { transfer: [detached] });
  assert.deepEqual(render(attached(view)), render(attached('')));

  // After all that, the next message is read as ever.
  assert.deepEqual(render(message), render(JSON.stringify(message)));
});

test('the version is the package’s', () => {
  assert.equal(version, require('pmtaemail/package.json').version);
});
