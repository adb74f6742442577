'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');
const pmtaemail = require('pmtaemail');

test('ESM and CommonJS give the same things', async () => {
  const esm = await import('pmtaemail');
  assert.equal(esm.default, pmtaemail);
  const { default: _, ...named } = esm;
  assert.deepEqual(named, pmtaemail);
  const nodemailer = await import('pmtaemail/nodemailer');
  assert.equal(nodemailer.default, require('pmtaemail/nodemailer'));
  assert.equal(nodemailer.PickupTransport, require('pmtaemail/nodemailer').PickupTransport);
});

test('the types are right', () => {
  const tsc = require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');
  execFileSync(process.execPath, [tsc, '--project', join(__dirname, 'types')], { stdio: 'inherit' });
});

test('the types are fresh', () => {
  execFileSync(process.execPath, [join(__dirname, '../generate-types.mjs'), '--check'], { stdio: 'inherit' });
});

test('the types have the fields of the schema', () => {
  const types = readFileSync(join(__dirname, '../lib/message.d.ts'), 'utf8');
  const schema = require('../../schema/message.schema.json');
  const fieldsOf = (name) => {
    const [, body] = types.match(new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms'));
    return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field]) => field).filter((field) => field !== 'contentId').sort();
  };
  const { Attachment, Calendar, Dkim, Dsn, Window, Unsubscribe } = schema.$defs;
  const objects = { MessageFields: schema, Attachment, Calendar, Dkim, Dsn, Window, Unsubscribe };
  for (const [name, object] of Object.entries(objects)) {
    assert.deepEqual(fieldsOf(name), Object.keys(object.properties).sort(), name);
  }
});
