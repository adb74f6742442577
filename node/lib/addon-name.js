'use strict';

// Each platform has an addon of its own: `native/linux-x64-gnu.node`, `native/darwin-arm64.node`, …
// A published package holds one for each platform that it supports; a package that was packed on a
// machine holds that machine's.
const { arch, platform } = process;

function libc() {
  if (platform !== 'linux') return [];
  return [process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'];
}

module.exports = { addonName: [platform, arch, ...libc()].join('-') };
