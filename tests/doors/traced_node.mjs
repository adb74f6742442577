// Not a test but a program: submits in every way, several at a time, and tells of each as soon as it is done.
//
// `node traced_node.mjs DIRECTORY DURABILITY SYNCFS ROUNDS` writes a line of JSON for each call: what was submitted, and the
// identifiers of its receipts.
import { writeSync } from 'node:fs';
import { Pickup } from '../../node/lib/index.mjs';

const [directory, durability, syncfs, rounds] = process.argv.slice(2);
const pickup = new Pickup(directory, { durability, syncfs: syncfs === 'syncfs' });
const AT_ONCE = 8;

const message = (mark, fields) => ({ from: 'a@example.com', subject: mark, text: 'Hello', ...fields });
const single = (mark) => message(mark, { to: 'b@example.org' });
const everybody = (count) => Array.from({ length: count }, (_, number) => `r${number}@example.org`);
const merge = (mark, files) => message(mark, { merge: 'expanded', recipients: everybody(files) });
const batch = (mark) => [single(`${mark}-0`), merge(`${mark}-1`, 3), single(`${mark}-2`)];
const raw = (mark) => ({ raw: `From: a@example.com\r\nTo: b@example.org\r\nSubject: ${mark}\r\n\r\nHello\r\n` });
async function* streamed() {
  yield* everybody(3);
}

// Each way gives the receipts of what it has submitted under the mark; see `KINDS` of test_answered_order.py.
const ways = {
  single: async (mark) => [await pickup.submit(single(mark))],
  blocking: async (mark) => [pickup.submitSync(single(mark))],
  raw: async (mark) => [await pickup.submit(raw(mark))],
  several: async (mark) => [await pickup.submit(merge(mark, 3))],
  twenty: async (mark) => [await pickup.submit(merge(mark, 20))],
  many: async (mark) => [await pickup.submit(merge(mark, 70))],
  streamed: async (mark) => [await pickup.submit(message(mark, { merge: 'expanded', recipients: streamed() }))],
  'single, key': async (mark) => [await pickup.submit(single(mark), { idempotencyKey: mark })],
  'several, key': async (mark) => [await pickup.submit(merge(mark, 3), { idempotencyKey: mark })],
  'many, key': async (mark) => [await pickup.submit(merge(mark, 70), { idempotencyKey: mark })],
  'blocking, key': async (mark) => [pickup.submitSync(single(mark), { idempotencyKey: mark })],
  batch: (mark) => pickup.submitMany(batch(mark)),
  'blocking batch': async (mark) => pickup.submitManySync(batch(mark)),
};

const all = [];
for (let round = 0; round < Number(rounds); round += 1) {
  Object.keys(ways).forEach((kind, place) => all.push([kind, `m${round}-${place}`]));
}

async function work() {
  for (let next = all.shift(); next; next = all.shift()) {
    const [kind, mark] = next;
    const receipts = await ways[kind](mark);
    // One call of the system, right after the answer.
    writeSync(1, `${JSON.stringify({ kind, mark, ids: receipts.map(({ id }) => id) })}\n`);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
