// The package `pmtaemail` for Node, for `doors.py`: a line of JSON asks, a line of JSON answers.
//
// `{verb, message, as}`: `message` is base64; with `as: "object"` it is parsed here, and an object crosses into the package.
// The verb `sent` submits it to memory as well.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { check, MessageError, Pickup, render } from '../../node/lib/index.mjs';

const folder = mkdtempSync(join(tmpdir(), 'node-door-'));
const pickup = new Pickup(folder, { durability: 'none' });
const memory = Pickup.memory();

function take(name) {
  const path = join(folder, name);
  const octets = readFileSync(path);
  rmSync(path);
  return octets;
}

const verbs = {
  check: (message) => ({ problems: check(message) }),
  render: (message) => ({ octets: render(message).toString('base64') }),
  async submit(message) {
    const receipt = await pickup.submit(message);
    const { files, octets } = receipt;
    const contents = files.map(take);
    const size = contents.reduce((sum, file) => sum + file.length, 0);
    if (size !== octets) throw new Error('the receipt is wrong about the size');
    return { receipt, files: contents.map((file) => file.toString('base64')) };
  },
  async sent(message) {
    const { id } = await memory.submit(message);
    const messages = memory.messages.map(({ octets, attachments, ...fields }) => ({
      ...fields,
      octets: octets.toString('base64'),
      attachments: attachments.map(({ content, ...part }) => ({ ...part, content: content.toString('base64') })),
    }));
    memory.clear();
    return { id, messages, submitted: await verbs.submit(message) };
  },
};

async function answer({ verb, message, as }) {
  const octets = Buffer.from(message, 'base64');
  try {
    return await verbs[verb](as === 'object' ? JSON.parse(octets) : octets);
  } catch (error) {
    return error instanceof MessageError ? { problems: error.problems } : { error: error.stack };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
rmSync(folder, { recursive: true });
