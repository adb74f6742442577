// Not a test but a program: submits by promises, or from worker threads, until its standard input ends.
//
// `node node_worker.mjs DIRECTORY STATE DURABILITY promises|threads`
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { Pickup } from '../../../node/lib/index.mjs';

const AT_ONCE = 6;
const THREADS = 2;
// As in message.py.
const LINES = [1, 1, 1, 60, 600, 4000];
const FILES = { single: 1, several: 3, many: 70 };

const [directory, state, durability, way] = process.argv.slice(2);
const any = (list) => list[Math.floor(Math.random() * list.length)];

function anyWork(tag) {
  const chance = Math.random();
  const kind = chance < 0.8 ? 'single' : chance < 0.96 ? 'several' : 'many';
  return { tag, kind, lines: kind === 'many' ? 1 : any(LINES) };
}

function message({ tag, kind, lines }) {
  const fields = {
    from: 'a@example.com',
    subject: `${tag} ${FILES[kind]} ${lines}`,
    text: `${'0123456789abcde\n'.repeat(lines)}end`,
  };
  if (kind === 'single') return { ...fields, to: 'b@example.org' };
  const recipients = Array.from({ length: FILES[kind] }, (_, number) => `r${number}@example.org`);
  return { ...fields, merge: 'expanded', recipients };
}

// One call of the system: whoever is killed has told all of it, or nothing.
const tell = (...event) => writeSync(1, `${JSON.stringify(event)}\n`);
const told = ({ tag }, { id, files }) => tell('told', tag, id, files.length);

class Submitter {
  constructor(pickup, worker, life) {
    this.pickup = pickup;
    this.worker = worker;
    this.life = life;
    this.isOver = false;
  }

  async keyed(work) {
    tell('begun', this.worker, work.tag, work.kind, work.lines);
    told(work, await this.pickup.submit(message(work), { idempotencyKey: work.tag }));
  }

  async run(number) {
    for (let count = 0; !this.isOver; count += 1) {
      const tag = `${this.life}-${number}-${count}`;
      if (count % 8 === 7) {
        const works = Array.from({ length: 8 }, (_, place) => anyWork(`${tag}-${place}`));
        const receipts = await this.pickup.submitMany(works.map(message));
        receipts.forEach((receipt, place) => told(works[place], receipt));
      } else if (count % 8 === 5) {
        const work = anyWork(tag);
        told(work, this.pickup.submitSync(message(work)));
        // Others have their turn, and the end of standard input.
        await new Promise(setImmediate);
      } else if (count % 2) {
        const work = anyWork(tag);
        told(work, await this.pickup.submit(message(work)));
      } else {
        await this.keyed(anyWork(tag));
      }
    }
  }

  async all(again, isIdle) {
    await Promise.all(again.map((work) => this.keyed(work)));
    if (!isIdle) await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => this.run(number)));
  }
}

const works = (again) => again.map(([tag, kind, lines]) => ({ tag, kind, lines }));

async function main() {
  const lines = createInterface({ input: process.stdin });
  const ended = new Promise((resolve) => lines.once('close', resolve));
  const { worker, life, again, idle = false } = JSON.parse(await new Promise((resolve) => lines.once('line', resolve)));
  const isThreaded = way === 'threads';
  // A store belongs to one pickup: each thread has its own. So has who began a key the number of its thread in the tag.
  const threads = Array.from({ length: isThreaded ? THREADS : 0 }, (_, number) => {
    const own = again.filter(([tag]) => tag.includes(`-t${number}-`));
    const data = { worker, life: `${worker}-${life}-t${number}`, again: own, idle, state: `${state}.${number}` };
    return new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2), workerData: data });
  });
  const exits = threads.map((thread) => new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', resolve);
  }));
  ended.then(() => threads.forEach((thread) => thread.postMessage('end')));
  if (!isThreaded) {
    const submitter = new Submitter(new Pickup(directory, { durability, state }), worker, `${worker}-${life}`);
    ended.then(() => (submitter.isOver = true));
    await submitter.all(works(again), idle);
  }
  await Promise.all([...exits, ended]);
}

async function thread({ worker, life, again, idle, state: ownState }) {
  const submitter = new Submitter(new Pickup(directory, { durability, state: ownState }), worker, life);
  parentPort.once('message', () => (submitter.isOver = true));
  await submitter.all(works(again), idle);
  parentPort.unref();
}

async function mainOrTell() {
  try {
    await main();
  } catch (error) {
    tell('failed', error.stack.slice(-2000));
    throw error;
  }
}

await (isMainThread ? mainOrTell() : thread(workerData));
