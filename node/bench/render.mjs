// What `render` costs beside nodemailer's MailComposer, and what of it is the border between JavaScript and the core.
// All in one run, taking turns, because only the ratios are to be trusted: `npm run bench`.
import MailComposer from 'nodemailer/lib/mail-composer';
import pmtaemail from '../lib/index.js';
import native from '../lib/native.js';
import { withMessage } from '../lib/encoder.js';

const ROUNDS = 21;
const WARM_UP = 5;

const paragraph = 'Your order has been packed and leaves our house this evening; it will reach you tomorrow before noon. ';
const cyrillic = 'Ваш заказ упакован и сегодня вечером покинет наш склад; завтра до полудня он будет у вас. ';

function letter(text, more) {
  const fill = (length) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
  return {
    from: 'Shop <shop@example.com>',
    to: ['Ann Lee <ann@example.org>', 'bob@example.net'],
    subject: 'Your order 4711',
    text: fill(11_000),
    html: `<html><body>${`<p style="margin:0">${fill(200)}</p>\n`.repeat(99)}</body></html>`,
    ...more,
  };
}

const octets = Buffer.alloc(1_000_000, 'A file of some kind, neither text nor zeros \x00\xff\x80');
const attached = { attachments: [{ filename: 'report.pdf', content: octets }] };
const messages = {
  tiny: { from: 'shop@example.com', to: 'ann@example.org', subject: 'Hello', text: 'Hello!' },
  '33 kB text+html': letter(paragraph),
  '33 kB text+html, Cyrillic': letter(cyrillic),
  '33 kB and 1 MB attached': letter(paragraph, attached),
};

function nodemailer(message) {
  return new Promise((resolve, reject) => {
    const composer = new MailComposer(message);
    composer.compile().build((error, octets) => (error ? reject(error) : resolve(octets)));
  });
}

/** Nanoseconds a call: the median of the rounds of each way; the ways take turns. */
async function measure(ways) {
  const rounds = new Map(Object.keys(ways).map((name) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, [way, calls]] of Object.entries(ways)) {
      const start = process.hrtime.bigint();
      for (let call = 0; call < calls; call++) {
        const result = way();
        if (result instanceof Promise) await result;
      }
      if (round >= 0) rounds.get(name).push(Number(process.hrtime.bigint() - start) / calls);
    }
  }
  return Object.fromEntries([...rounds].map(([name, list]) => [name, list.sort((a, b) => a - b)[list.length >> 1]]));
}

const microseconds = (ns) => (ns / 1000).toFixed(ns < 10_000 ? 2 : 0);
/** JSON as one has to write it where only JSON is taken: octets in base64. */
const toJson = (message) => JSON.stringify({
  ...message,
  attachments: message.attachments?.map((file) => ({ ...file, content: file.content.toString('base64') })),
});

const rows = {};
for (const [name, message] of Object.entries(messages)) {
  const [problem] = pmtaemail.check(message);
  if (problem) {
    console.log(`${name}: left out: ${problem.pointer}: ${problem.detail}`);
    continue;
  }
  const size = pmtaemail.render(message).length;
  const few = Math.ceil(1e6 / size);
  const many = Math.ceil(2e7 / size);
  const times = Math.ceil(2e7 / size);
  const ns = await measure({
    nodemailer: [() => nodemailer({ ...message }), Math.min(few, 300)],
    render: [() => pmtaemail.render(message), Math.min(many, 20_000)],
    core: [() => withMessage(message, (...encoded) => native.renderTimes(...encoded, times)), 1],
    json: [() => pmtaemail.render(toJson(message)), Math.min(few, 2_000)],
  });
  ns.core /= times;
  rows[name] = {
    'nodemailer, µs': microseconds(ns.nodemailer),
    'render, µs': microseconds(ns.render),
    'times quicker': (ns.nodemailer / ns.render).toFixed(1),
    'core alone, µs': microseconds(ns.core),
    'border, µs': microseconds(ns.render - ns.core),
    'border of all': `${Math.round((1 - ns.core / ns.render) * 100)} %`,
    'by JSON.stringify, µs': microseconds(ns.json),
  };
}
console.table(rows);
