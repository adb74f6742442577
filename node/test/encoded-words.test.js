'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { decodeField, decodeWords } = require('../lib/nodemailer/encoded-words.js');

test('encoded words become text', () => {
  const words = {
    'Hello': 'Hello',
    '=?utf-8?Q?J=C3=B6rg_M=c3=bcller?=': 'Jörg Müller',
    '=?ISO-8859-1?b?SvZyZw==?=': 'Jörg',
    'Re: =?utf-8?q?a?= b': 'Re: a b',
    // White space between two words is no part of the text, and a character may be split.
    '=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?=': 'Jörg',
    '=?utf-8?q?a?=\r\n\t=?koi8-r?B?8NLJ18XU?=': 'aПривет',
    '=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=': '日本',
    // The language of RFC 2231.
    '=?utf-8*de?q?b?=': 'b',
    '=?utf-8?q??=': '',
    // No words, or none that can be read.
    'a=?utf-8?q?b?=': 'a=?utf-8?q?b?=',
    '=?utf-8?q?b?=c': '=?utf-8?q?b?=c',
    '=?utf-8?x?b?=': '=?utf-8?x?b?=',
    '=?no-charset?q?b?=': '=?no-charset?q?b?=',
    '=?utf-8?q?=FF?=': '=?utf-8?q?=FF?=',
    '=?utf-8?q?b': '=?utf-8?q?b',
    // Not the work of somebody who encodes.
    'ü =?utf-8?q?b?=': 'ü =?utf-8?q?b?=',
  };
  for (const [encoded, text] of Object.entries(words)) assert.equal(decodeWords(encoded), text);
});

test('in a header field signs are quoted where they would mean something', () => {
  const fields = {
    '=?utf-8?Q?J=C3=B6rg?= <a@example.com>': 'Jörg <a@example.com>',
    '=?utf-8?Q?Lee=2C_=22A=22?= <a@example.com>': '"Lee, \\"A\\"" <a@example.com>',
    '<https://example.com/u> (=?utf-8?Q?f=C3=BCr_=28immer=29?=)': '<https://example.com/u> (für \\(immer\\))',
    '<a@example.com> (x) =?utf-8?Q?a=2Cb?=': '<a@example.com> (x) "a,b"',
    '=?utf-8?Q?Lee=2C_Ann?=': 'Lee, Ann',
    '=?no-charset?Q?a?= <a@example.com>': '=?no-charset?Q?a?= <a@example.com>',
  };
  for (const [encoded, text] of Object.entries(fields)) assert.equal(decodeField(encoded), text);
});

test('a text that only looks so is read in no time', () => {
  const started = process.cpuUsage().user;
  for (const piece of ['=?', '=?utf-8?q?', '=?utf-8?q?a?= ', '=?a?q?b?=' + ' '.repeat(50), '(=?utf-8?q?a?=<']) {
    decodeWords(piece.repeat(20_000));
    decodeField(`<${piece.repeat(20_000)}`);
  }
  assert.ok(process.cpuUsage().user - started < 5_000_000);
});
