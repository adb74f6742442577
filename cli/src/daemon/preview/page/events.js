// Server-sent events (HTML section 9.2) read by fetch: EventSource cannot send Authorization.

/** A daemon that is there says something every 15 seconds. */
const SILENCE = 60_000;

/** Calls `onEvent(name, data)` for each event of a response, until it ends or is silent for too long. */
export async function readEvents(response, onEvent) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  let event = { name: "message", data: [] };
  for (;;) {
    const { value, done } = await read(reader);
    if (done) {
      return;
    }
    waiting += value;
    // A CR at the end may be half of a line end.
    const lines = waiting.split(/\r\n|\n|\r(?!$)/);
    waiting = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data.length > 0) {
          onEvent(event.name, event.data.join("\n"));
        }
        event = { name: "message", data: [] };
        continue;
      }
      const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (field === "event") {
        event.name = text;
      } else if (field === "data") {
        event.data.push(text);
      }
    }
  }
}

/** The next piece; the end where none comes. */
async function read(reader) {
  const timer = setTimeout(() => reader.cancel(), SILENCE);
  try {
    return await reader.read();
  } finally {
    clearTimeout(timer);
  }
}
