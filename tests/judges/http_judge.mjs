// Reads lines of JSON, {stream: hex}, and answers each with a line: the requests that Node's own parser (llhttp) sees in
// what a client sent on one connection, and whether it refuses what comes then.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Duplex } from "node:stream";

/** A connection from which all comes at once. */
class Connection extends Duplex {
  constructor(octets) {
    super();
    this.push(octets);
    this.push(null);
  }
  _read() {}
  _write(chunk, encoding, done) {
    done();
  }
  setTimeout() {}
  setNoDelay() {}
  setKeepAlive() {}
}

const EVENTS = ["request", "checkContinue", "checkExpectation", "clientError", "connect", "upgrade"];

const server = createServer();
server.requestTimeout = 0;
server.headersTimeout = 0;
server.keepAliveTimeout = 0;

function requestsIn(octets) {
  return new Promise((resolve) => {
    const requests = [];
    let refused = false;
    const connection = new Connection(octets);
    const take = (request, response) => {
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => {
        const body = Buffer.concat(pieces).toString("hex");
        requests.push({ method: request.method, target: request.url, body });
        response.end();
      });
    };
    // One that waits to be told to go on has sent its body all the same.
    for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, take);
    const refuse = (_, socket) => {
      refused = true;
      // What came before is told of first.
      setTimeout(() => socket.destroy(), 5);
    };
    // Nor does it go on with another protocol.
    for (const event of ["clientError", "connect", "upgrade"]) server.on(event, refuse);
    connection.on("close", () => {
      for (const event of EVENTS) server.removeAllListeners(event);
      resolve({ requests, refused });
    });
    server.emit("connection", connection);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { stream } = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify(await requestsIn(Buffer.from(stream, "hex")))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
