'use strict';

// Many threads and processes at a time, each with pickup directories of its own or many. Nothing hangs, nothing is lost.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { once } = require('node:events');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { beforeEach, afterEach, test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { Pickup } = require('pmtaemail');

const message = { from: 'shop@example.com', to: 'ann@example.org', text: 'Hello' };
const merge = { from: 'shop@example.com', merge: 'expanded', text: 'x', recipients: Array(20).fill('ann@example.org') };
const TIMEOUT = { timeout: 120_000 };

/** What a worker does: so many pickup directories, and so many messages through each, all at the same time. */
const LOAD = `
  const { Pickup, renderAsync } = require(${JSON.stringify(require.resolve('pmtaemail'))});
  async function load({ directory, pickups, messages, message, merge }) {
    const opened = Array.from({ length: pickups }, () => new Pickup(directory));
    const work = opened.flatMap((pickup) => [
      ...Array.from({ length: messages }, () => pickup.submit(message)),
      pickup.submitMany(Array(messages).fill(message)),
      pickup.submit(merge),
      renderAsync(message),
    ]);
    opened.forEach((pickup) => pickup.submitSync(message));
    const results = (await Promise.all(work)).flat().filter(({ files }) => files);
    return results.reduce((sum, { files }) => sum + files.length, pickups);
  }`;
const IN_THREAD = `${LOAD}
  const { parentPort, workerData } = require('node:worker_threads');
  load(workerData).then((files) => parentPort.postMessage(files));`;

let folder;
let directory;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'processes-'));
  directory = join(folder, 'pickup');
  mkdirSync(directory);
});
afterEach(() => rmSync(folder, { recursive: true }));

const task = (pickups, messages) => ({ directory, pickups, messages, message, merge });
const files = ({ pickups, messages }) => pickups * (2 * messages + 20 + 1);

async function answer(worker) {
  const [answered] = await Promise.race([once(worker, 'message'), once(worker, 'exit').then(([code]) => assert.fail(`exit ${code}`))]);
  return answered;
}

for (const [name, pickups] of [['one pickup directory', 1], ['many pickup directories', 4]]) {
  test(`threads with ${name} each`, TIMEOUT, async () => {
    const workerData = task(pickups, 40 / pickups);
    const workers = Array.from({ length: 6 }, () => new Worker(IN_THREAD, { eval: true, workerData }));
    const own = new Pickup(directory);
    const receipts = await own.submitMany(Array(50).fill(message));
    const answers = await Promise.all(workers.map(answer));
    assert.deepEqual(answers, Array(6).fill(files(workerData)));
    assert.equal(readdirSync(directory).length, 6 * files(workerData) + receipts.length);
  });

  test(`a cluster with ${name} each`, TIMEOUT, async () => {
    // A program of its own, since a cluster belongs to a whole process. The primary is under load when it forks.
    const program = join(folder, 'cluster.js');
    writeFileSync(program, `${LOAD}
      const cluster = require('node:cluster');
      const task = ${JSON.stringify(task(pickups, 40 / pickups))};
      if (cluster.isPrimary) {
        const busy = load(task);
        const answers = Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
          cluster.fork().on('message', resolve).on('exit', (code) => code && reject(new Error('exit ' + code)));
        }));
        Promise.all([busy, ...answers]).then((files) => process.send(files));
      } else {
        load(task).then((files) => process.send(files, () => cluster.worker.disconnect()));
      }`);
    const primary = fork(program);
    const exited = once(primary, 'exit');
    const [answers] = await Promise.race([once(primary, 'message'), exited.then(([code]) => assert.fail(`exit ${code}`))]);
    primary.disconnect();
    assert.deepEqual(await exited, [0, null]);
    const each = files(task(pickups, 40 / pickups));
    assert.deepEqual(answers, Array(5).fill(each));
    assert.equal(readdirSync(directory).length, 5 * each);
  });
}

test('threads that are ended while they hand over', TIMEOUT, async () => {
  const pickup = new Pickup(directory);
  for (let round = 0; round < 3; round++) {
    const code = `${LOAD}
      const { parentPort, workerData } = require('node:worker_threads');
      load(workerData);
      parentPort.postMessage('under way');`;
    const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true, workerData: task(2, 20) }));
    await Promise.all(workers.map(answer));
    const submitted = pickup.submit(message);
    await Promise.all(workers.map((worker) => worker.terminate()));
    const { files } = await submitted;
    assert.ok(readdirSync(directory).includes(files[0]));
  }
  // Nothing of what was begun lies about.
  for (const name of readdirSync(directory)) assert.match(name, /\.eml$/);
});
