'use strict';

const assert = require('node:assert/strict');
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
  const { default: testing, ...tools } = await import('pmtaemail/testing');
  assert.equal(testing, require('pmtaemail/testing'));
  assert.deepEqual(tools, testing);
});
