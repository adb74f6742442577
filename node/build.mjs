// Builds the addon for this machine into `native/`. Cargo's own target directory is used, so nothing is built twice;
// the file is copied because Node takes a symbolic link to a `.so` for JavaScript.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { addonName } = require('./lib/addon-name.js');

// `--release` for a package, `--release --features bench` for the benchmark.
const options = process.argv.slice(2);
const build = ['build', '--package', 'pmtaemail-node', '--message-format', 'json-render-diagnostics', ...options];
const cargo = spawnSync('cargo', build, {
  cwd: import.meta.dirname,
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
});
if (cargo.status !== 0) process.exit(cargo.status ?? 1);

const artifact = cargo.stdout
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .find(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'pmtaemail_node');
const folder = join(import.meta.dirname, 'native');
const addon = join(folder, `${addonName}.node`);
mkdirSync(folder, { recursive: true });
// Renamed, because a process may have the old one mapped.
copyFileSync(artifact.filenames[0], `${addon}.new`);
renameSync(`${addon}.new`, addon);
console.log(addon);
