// The tests of a user's application.

import { Pickup, type MemoryPickup } from 'pmtaemail';
import { capture, read, type Outbox, type SentAttachment, type SentEnvelope, type SentHeader, type SentMailbox, type SentMessage } from 'pmtaemail/testing';

const pickup: MemoryPickup = Pickup.memory();
export const open: Pickup = pickup;
export const receipts = pickup.submitManySync([{ from: 'a@example.com', to: 'b@example.org' }]);
export const outbox: Outbox = capture();

export function look(): (string | undefined)[] {
  const messages: SentMessage[] = [...pickup.messages, ...outbox.messages, ...read(Buffer.alloc(0), { received: new Date() })];
  const mailboxes: SentMailbox[] = messages.flatMap(({ from, to, cc, bcc, replyTo }) => [...from, ...to, ...cc, ...bcc, ...replyTo]);
  const files: SentAttachment[] = messages.flatMap(({ attachments }) => attachments);
  const headers: SentHeader[] = messages.flatMap((message) => message.headers);
  const envelopes: SentEnvelope[] = messages.map(({ envelope }) => envelope);
  const buffers: Buffer[] = [...files.map(({ content }) => content), ...messages.map(({ octets }) => octets)];
  const texts: (string | undefined)[] = messages.flatMap(({ id, subject, messageId, text, html, amp, calendar }) => [id, subject, messageId, text, html, amp, calendar]);
  const priority: number | undefined = envelopes[0]?.priority;
  const flags: (true | undefined)[] = envelopes.flatMap(({ verp, smtputf8 }) => [verp, smtputf8]);
  console.log(buffers, priority, flags, mailboxes.map(({ name, address }) => name + address), headers.map(({ name, value }) => name + value));
  return [...texts, ...files.flatMap(({ filename, type, disposition, contentId }) => [filename, type, disposition, contentId]), messages[0]?.header('X-Order')];
}

pickup.clear();
outbox.clear();
outbox.end();
outbox[Symbol.dispose]();
// @ts-expect-error: a directory has files
new Pickup('/var/spool/pickup').messages;
// @ts-expect-error: it is a list
outbox.messages = [];
// @ts-expect-error: the text may be absent
export const text: string = outbox.messages[0]!.text;
// @ts-expect-error: it is a Date
read(Buffer.alloc(0), { received: 0 });
