// Other services' clients, as npm has them. Reads lines of JSON, {client, key, url, …}, and answers each with a line:
// {value} with what the client gives, or {refused} with what it throws. `{"$bytes": base64}` stands for a Buffer.

import { createInterface } from "node:readline";
import nodemailer from "nodemailer";
import sparkPostTransport from "nodemailer-sparkpost-transport";
import { Resend } from "resend";
import SparkPost from "sparkpost";

const revive = (_, value) => (typeof value?.$bytes === "string" ? Buffer.from(value.$bytes, "base64") : value);

const CLIENTS = {
  async sparkpost({ key, url, headers, transmission, query }) {
    const answer = await new SparkPost(key, { origin: url, headers, debug: true }).transmissions.send(transmission, query);
    const { debug, ...body } = answer;
    return { ...body, headers: debug.headers };
  },
  nodemailer({ key, url, defaults, mail }) {
    const transport = sparkPostTransport({ sparkPostApiKey: key, endpoint: url, ...defaults });
    return nodemailer.createTransport(transport).sendMail(mail);
  },
  "resend.emails.send": (request) => resend(request).emails.send(request.email, request.options),
  "resend.emails.get": (request) => resend(request).emails.get(request.id),
  "resend.batch.send": (request) => resend(request).batch.send(request.emails, request.options),
};

const resend = ({ key, url }) => new Resend(key, url && { baseUrl: url });

for await (const line of createInterface({ input: process.stdin })) {
  const { client, ...request } = JSON.parse(line, revive);
  let answer;
  try {
    answer = { value: await CLIENTS[client](request) };
  } catch ({ name, message, statusCode, errors }) {
    answer = { refused: { name, message, statusCode, errors } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
