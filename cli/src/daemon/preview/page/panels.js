// What the tabs beside the mail itself show.

import { element, pairs, scrolled } from "./elements.js";
import { count, size } from "./sizes.js";

/** More of a source is not shown, only saved. */
const SHOWN_OCTETS = 300_000;

const ENVELOPE = {
  from: "Sender",
  to: "Recipients",
  envid: "Envelope id",
  job: "Job",
  vmta: "Virtual MTA",
  dkim: "DKIM",
  schedule: "Schedule",
  priority: "Priority",
  subaccountId: "Subaccount",
  customMessageId: "Custom message id",
  verp: "VERP",
  notify: "Notifications",
  ret: "Notifications return",
  orcpt: "Original recipient",
  smtputf8: "SMTPUTF8",
};

const missing = (sentence) => element("p", { class: "quiet note" }, sentence);

/** A link that saves what is at an address. */
const saved = (url, name, octets) =>
  element("a", { href: url, download: name }, `Save ${name}`, element("span", { class: "quiet" }, ` ${size(octets)}`));

export function textPanel(text) {
  return [text === null ? missing("This mail has no text part.") : scrolled("Text of the mail", text)];
}

export function ampPanel(amp) {
  return [amp === null ? missing("This mail has no AMP part.") : scrolled("Source of the AMP part", amp)];
}

export function headersPanel(headers) {
  const rows = headers.map(({ name, value }) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)),
  );
  const caption = element("caption", { class: "hidden" }, "Header fields, decoded");
  return [element("table", { class: "fields" }, caption, element("tbody", {}, ...rows))];
}

export function partsPanel(root) {
  if (!root) {
    return [missing("Its parts are not known.")];
  }
  return [element("ul", { class: "parts", "aria-label": "Parts of the mail" }, part(root))];
}

function part({ type, octets, name, disposition, id, url, parts }) {
  const notes = [disposition, id && `Content-ID ${id}`, octets !== undefined && octets !== null && size(octets)];
  return element(
    "li",
    {},
    element(
      "div",
      { class: "part" },
      element("code", {}, type),
      name ? element("span", {}, name) : null,
      element("span", { class: "quiet" }, notes.filter(Boolean).join(" · ")),
      url ? element("a", { href: url, download: name ?? "", "aria-label": `Save ${name ?? type}` }, "Save") : null,
    ),
    parts?.length ? element("ul", {}, ...parts.map(part)) : null,
  );
}

export function attachmentsPanel(attachments) {
  if (attachments.length === 0) {
    return [missing("This mail has no attachments.")];
  }
  const items = attachments.map(({ name, type, octets, url }) =>
    element(
      "li",
      {},
      element("a", { href: url, download: name ?? "" }, name || "without a name"),
      element("span", { class: "quiet" }, `${type} · ${size(octets)}`),
    ),
  );
  return [element("ul", { class: "attachments" }, ...items)];
}

/** A source, as far as it is shown; it is fetched when it is looked at. */
export async function sourcePanel(api, { url, octets }, name, label, signal) {
  const { text, isWhole } = await api.beginning(url, SHOWN_OCTETS, signal);
  const said = isWhole ? null : missing(`Only the first ${count(SHOWN_OCTETS)} of ${count(octets)} bytes are shown.`);
  return [element("p", { class: "tools" }, saved(url, name, octets)), said, scrolled(label, text)].filter(Boolean);
}

export function envelopePanel(envelope) {
  const lines = Object.entries(envelope ?? {})
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [ENVELOPE[name] ?? name, shown(value)]);
  return lines.length > 0 ? [element("h3", {}, "Envelope"), element("dl", { class: "envelope" }, ...pairs(lines))] : [];
}

function shown(value) {
  if (Array.isArray(value)) {
    return value.map(shown).join(", ");
  }
  return typeof value === "object" ? JSON.stringify(value) : `${value}`;
}
