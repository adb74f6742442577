'use strict';

const { addonName } = require('./addon-name.js');

function load() {
  try {
    return require(`../native/${addonName}.node`);
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND') throw cause;
    throw new Error(`pmtaemail has no addon for ${addonName}; \`npm run build\` in its source makes one`, { cause });
  }
}

module.exports = load();
