// The same as pickup_process.py by the package for Node.
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pickup } from '../../node/lib/index.mjs';

const [folder, state] = process.argv.slice(2);
const pickup = new Pickup(folder, { state: join(dirname(folder), state) });
for await (const line of createInterface({ input: process.stdin })) {
  const { message, key } = JSON.parse(line);
  let answer;
  try {
    answer = await pickup.submit(message, key === null ? {} : { idempotencyKey: key });
  } catch (error) {
    answer = { error: `${error}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
