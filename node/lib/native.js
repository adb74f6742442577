'use strict';

const { addonName } = require('./addon-name.js');

// What was built here comes first; a published package has its addon in a package for each platform, of which npm installs
// the one that fits.
const places = [`../native/${addonName}.node`, `@pmtaemail/${addonName}`];

function load() {
  let missing;
  for (const place of places) {
    try {
      return require(place);
    } catch (cause) {
      if (cause.code !== 'MODULE_NOT_FOUND') throw cause;
      missing = cause;
    }
  }
  throw new Error(
    `pmtaemail has no addon for ${addonName}: install without \`--omit=optional\`, or run \`npm run build\` in its source`,
    { cause: missing },
  );
}

module.exports = load();
