'use strict';

/** Refuses options but those that are known; `all` are named in the error. */
function refuseOthers(options, known, all = known) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(`There is no option \`${unknown}\`; there are ${all.map((name) => `\`${name}\``).join(', ')}.`);
}

/** Whom of a mail merge the options select, as the addon's functions take it: a value for each that is `known`; `others` are for others. */
function selection(options, known, others = []) {
  if (options === undefined) return known.map(() => undefined);
  if (typeof options !== 'object' || options === null) {
    // `map` gives it the index.
    const hint = typeof options === 'number' ? ' In `map`, write `messages.map((message) => render(message))`.' : '';
    const example = known.length > 0 ? `${known.at(-1)}: 3` : `${others.at(-1)}: true`;
    throw new TypeError(`The options must be an object, such as { ${example} }.${hint}`);
  }
  refuseOthers(options, [...known, ...others]);
  // Each is read once: it may be a getter.
  const values = known.map((name) => numberFrom1(name, options[name]));
  if (values.filter((value) => value !== undefined).length > 1) {
    throw new TypeError(`Give one of ${known.map((name) => `\`${name}\``).join(', ')}.`);
  }
  return values;
}

function numberFrom1(name, value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw new TypeError(`\`${name}\` must be a number.`);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`\`${name}\` must be a whole number from 1.`);
  return value;
}

/** An option that is true or false; absent it is undefined. */
function flag(options, name) {
  const value = options?.[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new TypeError(`\`${name}\` must be true or false.`);
  return value;
}

module.exports = { flag, refuseOthers, selection };
