'use strict';

// Each platform has an addon of its own, `linux-x64-gnu`, `darwin-arm64`, …: in `native/` where it was built on this
// machine, in the package `@pmtaemail/linux-x64-gnu` and so on where it was published.
const { arch, platform } = process;

function libc() {
  if (platform !== 'linux') return [];
  return [process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'];
}

module.exports = { addonName: [platform, arch, ...libc()].join('-') };
