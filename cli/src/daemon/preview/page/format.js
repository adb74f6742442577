// What a text is, and JSON with a line for each value. Numbers and strings keep their characters: `19.90` stays `19.90`.

const JSON_TYPE = "application/json";
export const LINES_TYPE = "application/x-ndjson";
const MAIL_TYPE = "message/rfc822";

/** The media type that a text, of a file of this name perhaps, is sent as. */
export function typeOf(text, name = "") {
  if (/\.eml$/i.test(name) || /^(From |[A-Za-z][A-Za-z0-9-]*:)/.test(text)) {
    return MAIL_TYPE;
  }
  return /\.(ndjson|jsonl)$/i.test(name) || isLines(text) ? LINES_TYPE : JSON_TYPE;
}

/** Whether the first line is a whole object, and more follows: a mail merge, a recipient a line. */
function isLines(text) {
  const first = /^\s*(\{.*\})[ \t\r]*\n\s*\{/.exec(text);
  if (first === null) {
    return false;
  }
  try {
    JSON.parse(first[1]);
    return true;
  } catch {
    return false;
  }
}

/** Problems with the line that each is in, of a message with a recipient a line: the first one is the message itself. */
export function placedInLines(text, problems) {
  const lines = text.split("\n").flatMap((line, at) => (line.trim() === "" ? [] : [at + 1]));
  return problems.map((problem) => {
    const [, recipient] = /^#?\/recipients\/(\d+)/.exec(problem.pointer) ?? [];
    return { line: lines[recipient === undefined ? 0 : Number(recipient) + 1], ...problem };
  });
}

/** JSON laid out anew, or null where it is none. */
export function formatted(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let [made, depth] = ["", 0];
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      made += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      made += line() + token;
    } else if (token === ",") {
      made += token + line();
    } else if (token === ":") {
      made += ": ";
    } else {
      made += /^[{[]/.test(token) ? token.replace(/\s/g, "") : token;
    }
  }
  return `${made}\n`;
}
