'use strict';

// The types, as users of each nodemailer and of each way to resolve modules see them.

const assert = require('node:assert/strict');
const { execFile, execFileSync } = require('node:child_process');
const { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { after, before, test } = require('node:test');
const { promisify } = require('node:util');

const root = join(__dirname, '..');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'types-')));
after(() => rmSync(folder, { recursive: true }));

const EVERY = ['message', 'nodemailer', 'testing'];

/** A project for each nodemailer, its types, and what is compiled there. */
const projects = {
  nodemailer6: { types: 'nodemailer6-types', sources: EVERY },
  nodemailer7: { types: 'nodemailer7-types', sources: EVERY },
  nodemailer8: { types: 'nodemailer8-types', sources: EVERY },
  nodemailer9: { types: 'nodemailer8-types', sources: EVERY },
  nodemailer: { sources: [...EVERY, 'inferred'] },
  untyped: { nodemailer: 'nodemailer9', sources: ['message', 'testing', 'untyped'] },
};

// TypeScript 6 deprecates `node10`, and 7 has it no more.
const resolutions = [
  { compiler: 'typescript', module: 'preserve', moduleResolution: 'bundler' },
  { compiler: 'typescript', module: 'node16', moduleResolution: 'node16' },
  { compiler: 'typescript', module: 'nodenext', moduleResolution: 'nodenext' },
  { compiler: 'typescript5', module: 'commonjs', moduleResolution: 'node10' },
];

const files = [];

/** Links a package of ours into a project's `node_modules`. */
function install(project, name, as = name) {
  const link = join(folder, project, 'node_modules', as);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(name === 'pmtaemail' ? root : join(root, 'node_modules', name), link);
}

before(() => {
  install('.', '@types/node');
  for (const [project, { nodemailer = project, types, sources }] of Object.entries(projects)) {
    install(project, 'pmtaemail');
    install(project, nodemailer, 'nodemailer');
    if (types) install(project, types, '@types/nodemailer');
    const copies = sources.flatMap((source) => ['ts', 'mts', 'cts'].map((extension) => [`${source}.ts`, `${source}.${extension}`]));
    if (sources.includes('nodemailer')) copies.push(['require.cts', 'require.cts']);
    for (const [source, copy] of copies) {
      copyFileSync(join(root, 'typed', source), join(folder, project, copy));
      files.push(join(project, copy));
    }
  }
});

for (const { compiler, module, moduleResolution } of resolutions) {
  test(`the types are right with \`moduleResolution\` ${moduleResolution}`, async () => {
    const compilerOptions = {
      target: 'es2022',
      module,
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      esModuleInterop: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
    };
    const config = join(folder, `${moduleResolution}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [tsc, '--project', config]), ({ stdout }) => assert.fail(stdout));
  });
}

test('the types are fresh', () => {
  execFileSync(process.execPath, [join(root, 'generate-types.mjs'), '--check'], { stdio: 'inherit' });
});

test('the types have the fields of the schema', () => {
  const types = readFileSync(join(root, 'lib/message.d.ts'), 'utf8');
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
