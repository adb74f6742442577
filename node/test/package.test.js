'use strict';

// The package as npm packs it, in an empty folder. There is no compiler at work there, so this needs an addon that is
// built: `npm run build`.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { after, before, test } = require('node:test');

const root = join(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'package-'));
const npm = (...words) => execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

before(() => {
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const [{ filename }] = JSON.parse(npm('pack', root, '--json', '--ignore-scripts'));
  npm('install', '--ignore-scripts', '--no-audit', '--no-fund', '--offline', join(folder, filename));
});
after(() => rmSync(folder, { recursive: true }));

test('it holds what it needs and nothing else', () => {
  const installed = join(folder, 'node_modules/pmtaemail');
  assert.deepEqual(readdirSync(installed).sort(), ['README.md', 'lib', 'native', 'package.json']);
  assert.equal(readdirSync(join(installed, 'native')).length, 1);
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(installed, 'package.json'))).dependencies ?? {}), []);
});

test('it works', () => {
  mkdirSync(join(folder, 'pickup'));
  const message = `{ from: 'a@example.com', to: 'b@example.com', text: 'Hello' }`;
  const programs = {
    'a.mjs': `import { Pickup } from 'pmtaemail'; console.log((await new Pickup('pickup').submit(${message})).files[0]);`,
    'b.cjs': `const { Pickup } = require('pmtaemail'); console.log(new Pickup('pickup').submitSync(${message}).files[0]);`,
    'c.mjs': `import { Pickup } from 'pmtaemail'; import { capture } from 'pmtaemail/testing'; const outbox = capture(); new Pickup('/nowhere').submitSync(${message}); console.log(outbox.messages[0].text);`,
    'd.cjs': `const { Pickup } = require('pmtaemail'); const outbox = require('pmtaemail/testing').capture(); new Pickup('/nowhere').submitSync(${message}); console.log(outbox.messages[0].text);`,
    'e.cjs': `console.log(typeof require('pmtaemail/nodemailer')({ pickup: 'pickup' }).send);`,
  };
  const said = Object.entries(programs).map(([name, program]) => {
    writeFileSync(join(folder, name), program);
    return execFileSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' }).trim();
  });
  assert.deepEqual(said.slice(0, 2).sort(), readdirSync(join(folder, 'pickup')).sort());
  assert.deepEqual(said.slice(2), ['Hello', 'Hello', 'function']);
});

test('the examples of its README run as they are written', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, example]) => example);
  assert.equal(examples.length, 3);
  mkdirSync(join(folder, 'node_modules/nodemailer'), { recursive: true });
  cpSync(join(root, 'node_modules/nodemailer'), join(folder, 'node_modules/nodemailer'), { recursive: true });
  const said = examples.map((example, index) => {
    writeFileSync(join(folder, `example-${index}.cjs`), example);
    return execFileSync(process.execPath, [`example-${index}.cjs`], { cwd: folder, encoding: 'utf8' });
  });
  assert.match(said[0], /code: 'unknown_field'.*^Subject: Your order\r$.*\.eml/ms);
  assert.match(said[1], /^Subject: Your order, Ann\r$.*-1\.eml/ms);
  assert.match(said[2], /^<.*@example\.com>\n$/);
});
