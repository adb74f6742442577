// Headless Chromium by Playwright, told what to do by lines of JSON; each is answered with a line: {value} or {error}.
//
//   {open: {…}}                       opens a page in a context of its own with these options; its number
//   {page, steps: [[name, args], …]}  calls the methods one behind the other; what the last one gives. Without args it is a property
//   {page, saves: steps}              what these steps save: {name, content} with base64
//   {page, axe: selector}             what axe-core finds there
//   {page, told: true}                what happened in the page: errors, dialogs, windows
//   {page, close: true}
//
// `{"$bytes": base64}` stands for a Buffer, `{"$function": source}` for a function.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import axe from "axe-core";
import { chromium } from "playwright-core";

const TIMEOUT = 20_000;
const [executablePath, ...args] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args });
const pages = [];

function revive(_, value) {
  if (typeof value?.$bytes === "string") {
    return Buffer.from(value.$bytes, "base64");
  }
  // A text would be an expression.
  return typeof value?.$function === "string" ? new Function(`return (${value.$function})`)() : value;
}

async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(TIMEOUT);
  await context.addInitScript(() => {
    const broken = [];
    addEventListener("securitypolicyviolation", (event) => broken.push(`${event.violatedDirective} ${event.blockedURI}`));
    Object.defineProperty(globalThis, "brokenPolicies", { value: broken });
  });
  const page = await context.newPage();
  const told = [];
  page.on("pageerror", (error) => told.push(`error: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => told.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("download", (download) => told.push(`saved: ${download.suggestedFilename()}`));
  context.on("page", (other) => told.push(`window: ${other.url()}`));
  pages.push({ page, told });
  return pages.length - 1;
}

async function run(target, steps) {
  let value = target;
  for (const [name, args] of steps) {
    value = args === undefined ? value[name] : await value[name](...args);
  }
  return value;
}

async function saved(page, steps) {
  const [download] = await Promise.all([page.waitForEvent("download"), run(page, steps)]);
  const content = await readFile(await download.path());
  return { name: download.suggestedFilename(), content: content.toString("base64") };
}

async function findings(page, within) {
  if (await page.evaluate(() => globalThis.axe === undefined)) {
    await page.evaluate(axe.source);
  }
  // It would wait for an answer of the frame, in which no script runs.
  const { violations, passes } = await page.evaluate((root) => globalThis.axe.run(root, { iframes: false }), within);
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html} ${failureSummary}`));
  return passes.length > 0 ? found : ["axe-core looked at nothing"];
}

async function answer(request) {
  if (request.open !== undefined) {
    return open(request.open);
  }
  const { page, told } = pages[request.page];
  if (request.close) {
    return page.context().close();
  }
  if (request.axe) {
    return findings(page, request.axe);
  }
  if (request.told) {
    return told;
  }
  const value = await (request.saves ? saved(page, request.saves) : run(page, request.steps));
  return Buffer.isBuffer(value) ? { $bytes: value.toString("base64") } : value;
}

/** What a promise gives, or an error: what a page awaits may never be. */
async function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it takes too long")), 2 * TIMEOUT);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A value, or null in place of what is no data: a response, an element. */
function asData(value) {
  const isData = typeof value !== "object" || Array.isArray(value) || Object.getPrototypeOf(value ?? {}) === Object.prototype;
  return isData ? value : null;
}

/** What the page of a request that failed shows at its end. */
async function whatItShows(line) {
  const { page } = pages[JSON.parse(line).page];
  const text = await inTime(page.evaluate(() => document.body.innerText)).catch((error) => error.message);
  return ` The page shows: ${text.slice(0, 800)}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = { value: asData(await inTime(answer(JSON.parse(line, revive)))) };
  } catch (error) {
    told = { error: error.message + (error.name === "TimeoutError" ? await whatItShows(line) : "") };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
await browser.close();
