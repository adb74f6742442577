// A program of a user. What must not compile shows that nothing became `any` on the way.

import { Readable } from 'node:stream';
import pmtaemail, { type AsyncMessage, check, MessageError, Pickup, PickupError, render, renderAsync, type Message, type Receipt, type RecipientReceipt, type Recipient, warnings } from 'pmtaemail';

export const message: Message = {
  from: 'Shop <shop@example.com>',
  to: ['ann@example.org', { name: 'Bob', address: 'bob@example.org' }],
  replyTo: { address: 'help@example.com' },
  subject: 'Hello',
  date: new Date(),
  text: undefined as unknown as string,
  attachments: [
    { filename: 'a.pdf', content: Buffer.from('a') },
    { content: new Uint8Array(3), contentType: 'image/png', cid: 'logo' },
    { content: 'text', encoding: 'utf8', filename: 'a.txt' },
  ],
  headers: { 'X-One': 'a', 'X-Two': ['a', 'b'] },
  dsn: { notify: ['failure', 'delay'], ret: 'headers' },
};

function* people(): Generator<Recipient> {
  yield 'ann@example.org';
  yield { name: 'Bob', address: 'bob@example.org', variables: { price: 19.9, since: new Date() }, priority: 50, envid: null };
}
export const merge: Message = { from: 'a@example.com', template: 'jinja', merge: 'expanded', variables: { shop: 'A' }, recipients: people() };

async function* rows(): AsyncGenerator<Recipient> {
  yield* people();
}
const slow: AsyncMessage = { from: 'a@example.com', subject: 'Hello', template: 'merge', recipients: rows() };

export const pickup = new Pickup(new URL('file:///var/spool/pickup'), { durability: 'none', syncfs: false, fileMode: 0o640, fileGroup: 'pmta' });
export const octets: Buffer = render(message);
export const later: Promise<Buffer> = renderAsync(JSON.stringify(message));
export const code: string | undefined = check(octets)[0]?.code;
export const warning: string | undefined = warnings(octets)[0]?.code;
pmtaemail.render('{}');

export async function submit(): Promise<string[]> {
  try {
    for (const receipt of await pickup.submitMany([message, '{}'])) {
      console.log(receipt instanceof Error ? receipt.message : receipt.recipients);
    }
    const receipt: Receipt = pickup.submitSync(octets);
    await pickup.submit({ ...slow, recipients: Readable.from(people()) });
    await pickup.submitMany(Readable.from([message]));
    await pickup.submitMany([slow, message]);
    await renderAsync(slow);
    // @ts-expect-error: it cannot wait
    check(slow);
    // @ts-expect-error: it cannot wait
    pickup.submitManySync(rows());
    const few: Receipt[] = [await pickup.submit(slow, { limit: 3 }), pickup.submitSync(merge, { recipient: 2 })];
    await renderAsync(slow, { recipient: few.length });
    // @ts-expect-error: a number
    pickup.submitSync(merge, { limit: '3' });
    // @ts-expect-error: there is one message
    render(merge, { limit: 3 });
    const envids: (string | null)[] | undefined = (await pickup.submit(merge)).envids;
    const seeds: number | undefined = receipt.seeds;
    console.log(seeds);
    const known: RecipientReceipt[] = [...(receipt.recipientReceipts ?? [])];
    console.log(known.map(({ index, envid, messageId }) => `${index} ${envid} ${messageId}`));
    return [...receipt.files, ...(envids ?? []).filter((envid) => envid !== null)];
  } catch (error) {
    if (error instanceof MessageError) return error.problems.map(({ pointer, detail }) => pointer + detail);
    if (error instanceof PickupError) return [error.code, error.path, String(error.errno)];
    throw error;
  }
}

// @ts-expect-error: there is no such field
export const unknown: Message = { from: 'a@example.com', too: 'b@example.com' };
// @ts-expect-error: a mailbox has an address
export const nobody: Message = { from: { name: 'Ann' } };
// @ts-expect-error: the priority is a word
export const urgent: Message = { from: 'a@example.com', priority: 1 };
// @ts-expect-error: a recipient has an address
export const somebody: Message = { from: 'a@example.com', recipients: [{ variables: {} }] };
// @ts-expect-error: there is no such language
export const mustache: Message = { from: 'a@example.com', template: 'mustache' };
// @ts-expect-error: durability is a word
new Pickup('/var/spool/pickup', { durability: true });
// @ts-expect-error: it is a Buffer
export const text: string = render(message);
