import nodemailer from 'nodemailer';
import pmtaemail, { check, MessageError, Pickup, PickupError, render, renderAsync, type Message, type Recipient } from 'pmtaemail';
import pmtaemailTransport, { PickupTransport, type Info } from 'pmtaemail/nodemailer';

const message: Message = {
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
const merge: Message = { from: 'a@example.com', template: 'jinja', merge: 'expanded', variables: { shop: 'A' }, recipients: people() };

const pickup = new Pickup(new URL('file:///var/spool/pickup'), { durability: 'none', syncfs: false });
const octets: Buffer = render(message);
const later: Promise<Buffer> = renderAsync(JSON.stringify(message));
const code: string | undefined = check(octets)[0]?.code;
pmtaemail.render('{}');

async function submit(): Promise<string[]> {
  try {
    return (await pickup.submit(message)).files;
  } catch (error) {
    if (error instanceof MessageError) return error.problems.map(({ pointer, detail }) => pointer + detail);
    if (error instanceof PickupError) return [error.code, error.path, String(error.errno)];
    throw error;
  }
}
for (const receipt of await pickup.submitMany([message, '{}'])) {
  console.log(receipt instanceof Error ? receipt.message : receipt.recipients);
}

const transport = nodemailer.createTransport(pmtaemailTransport({ pickup }));
const info: Info = await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'Hello' });
console.log(info.receipt.id, info.accepted.length, info.envelope.to, later, code, submit, PickupTransport);

// @ts-expect-error: there is no such field
const unknown: Message = { from: 'a@example.com', too: 'b@example.com' };
// @ts-expect-error: a mailbox has an address
const nobody: Message = { from: { name: 'Ann' } };
// @ts-expect-error: the priority is a word
const urgent: Message = { from: 'a@example.com', priority: 1 };
// @ts-expect-error: a recipient has an address
const somebody: Message = { from: 'a@example.com', recipients: [{ variables: {} }] };
// @ts-expect-error: there is no such language
const mustache: Message = { from: 'a@example.com', template: 'mustache' };
const envids: (string | null)[] | undefined = (await pickup.submit(merge)).envids;
// @ts-expect-error: durability is a word
new Pickup('/var/spool/pickup', { durability: true });
console.log(unknown, nobody, urgent, somebody, mustache, envids);
