// nodemailer as the client of a program that speaks SMTP on its standard input and output: `node smtp_pipe.mjs MESSAGES
// PROGRAM…`, MESSAGES being a list in JSON. Prints what nodemailer says of each.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import nodemailer from 'nodemailer';

const [messages, program, ...line] = process.argv.slice(2);
const server = createServer((socket) => {
  const child = spawn(program, line, { stdio: ['pipe', 'pipe', 'inherit'] });
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const transporter = nodemailer.createTransport({ host: '127.0.0.1', port: server.address().port, ignoreTLS: true, pool: true, maxConnections: 1 });
for (const message of JSON.parse(messages)) {
  try {
    const { accepted, rejected, response } = await transporter.sendMail(message);
    console.log(JSON.stringify({ accepted, rejected, response }));
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, responseCode: error.responseCode }));
  }
}
transporter.close();
server.close();
