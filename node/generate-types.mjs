// Makes `lib/message.d.ts` from the JSON Schema of a message.
//
// node generate-types.mjs          writes it
// node generate-types.mjs --check  tells by its exit status whether it is fresh

import { readFileSync, writeFileSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const SCHEMA = new URL('../schema/message.schema.json', import.meta.url);
const FILE = new URL('./lib/message.d.ts', import.meta.url);
const WIDTH = 120;

const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));

const START = `// Made from the JSON Schema of a message by generate-types.mjs.
//
// Names may also be written in snake_case. \`null\` and \`undefined\` are as absent, in objects and in arrays; what has a
// \`toJSON\` is what that returns, as in JSON.stringify.

/** RFC 3339, or a Date. */
export type DateTime = string | Date;

/** Octets, without a detour over base64. */
export type Octets = Uint8Array | ArrayBuffer | SharedArrayBuffer;
`;

/** The alternatives that a value may be. */
function alternatives(value) {
  if (value.$ref !== undefined) return [value.$ref.slice('#/$defs/'.length)];
  if (value.anyOf !== undefined) return [...new Set(value.anyOf.flatMap(alternatives))];
  if (value.enum !== undefined) return value.enum.map((word) => `'${word}'`);
  switch (value.type) {
    case 'string':
      if (value.format === 'date-time') return ['DateTime'];
      return value.contentMediaType === undefined ? ['string'] : ['string', 'Octets'];
    case 'boolean':
      return ['boolean'];
    case 'integer':
    case 'number':
      return ['number'];
    case 'array':
      return [array(value)];
    case 'object':
      if (value.properties === undefined) return [`{ readonly [name: string]: ${members(value.additionalProperties)} }`];
  }
  throw new Error(`no type for ${JSON.stringify(value)}`);
}

const union = (value) => alternatives(value).join(' | ');

/** The values of an object with any names. */
const members = (value) => (value === true ? 'unknown' : `${union(value)} | null | undefined`);

function array({ items, 'x-iterable': isIterable }) {
  const element = `${union(items)} | null | undefined`;
  return isIterable ? `Iterable<${element}>` : `readonly (${element})[]`;
}

/** A comment, and what it is about. */
function documented(text, lines, indent = '') {
  if (text === undefined) return lines;
  const comment = `${indent}/** ${text} */`;
  if (comment.length <= WIDTH) return [comment, ...lines];
  const rows = [''];
  for (const word of text.split(' ')) {
    if (`${indent} * ${rows.at(-1)} ${word}`.length > WIDTH) rows.push('');
    rows.push(`${rows.pop()} ${word}`.trim());
  }
  return [`${indent}/**`, ...rows.map((row) => `${indent} * ${row}`), `${indent} */`, ...lines];
}

function member(name, value, isRequired) {
  const own = isRequired ? `  ${name}: ${union(value)};` : `  ${name}?: ${union(value)} | null;`;
  // What must be there has one name.
  const aliases = isRequired ? [] : (value['x-aliases'] ?? []);
  const others = aliases.map((alias) => own.replace(name, alias));
  const once = value['x-iterable'] ? ' An iterable is read once.' : '';
  return documented(value.description + once, [own, ...others], '  ');
}

function definition(name, value) {
  if (value.properties === undefined) return documented(value.description, alias(name, alternatives(value)));
  const required = value.required ?? [];
  const fields = Object.entries(value.properties).flatMap(([field, of]) => member(field, of, required.includes(field)));
  return documented(value.description, [`export interface ${name} {`, ...fields, '}']);
}

function alias(name, types) {
  const line = `export type ${name} = ${types.join(' | ')};`;
  if (line.length <= WIDTH) return [line];
  return [`export type ${name} =`, ...types.map((type) => `  | ${type}`)].map((row, at) => (at === types.length ? `${row};` : row));
}

function text() {
  const { $defs, properties, anyOf, description } = schema;
  const needed = anyOf.map(({ required: [field] }) => ({ field, type: union(properties[field]) }));
  const either = needed.map(({ field }) => `\`${field}\``).join(' or ');
  const one = needed.map(({ field, type }) => `{ ${field}: ${type} }`).join(' | ');
  const blocks = [
    ...Object.entries($defs).map(([name, value]) => definition(name, value)),
    definition('MessageFields', { properties, description }),
    [`/** Either ${either} must be there. */`, `export type Message = (${one}) & MessageFields;`],
  ];
  return [START, ...blocks.map((lines) => `${lines.join('\n')}\n`)].join('\n');
}

if (!argv.includes('--check')) {
  writeFileSync(FILE, text());
} else if (readFileSync(FILE, 'utf8') !== text()) {
  console.error(`${fileURLToPath(FILE)} is stale: make generate`);
  exit(1);
}
