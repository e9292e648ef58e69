import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Mail, openMail } from "./mail.ts";

/** What the top-up service has received, in order. */
const received: string[] = [];
const receiver = createServer((request, response) => {
  request.on("data", (body) => received.push(`${request.headers["stripe-signature"]} ${body}`));
  request.on("end", () => response.writeHead(202).end());
});
let mail: Mail;

beforeAll(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as { port: number };
  mail = await openMail(() => [port]);
});

afterAll(async () => {
  await mail.close();
  receiver.close();
});

test("a webhook arrives with its signature, and the gateway hears the answer", async () => {
  expect(await send("one")).toBe(202);
  expect(received.splice(0)).toEqual(["signed one"]);
});

test("one that is refused or lost does not arrive; only of the former the gateway is told", async () => {
  mail.deliver("refused");
  expect(await send("one")).toBe(503);
  const hits = mail.deliver("lost");
  expect(await send("two")).toBe(200);
  expect([hits.count, received]).toEqual([1, []]);
});

test("one that is repeated arrives four times", async () => {
  mail.deliver("repeated");
  await send("one");
  await eventually("the repeats arrive", () => received.length === 4);
  expect(new Set(received.splice(0))).toEqual(new Set(["signed one"]));
});

test("those held back arrive later, the newest first", async () => {
  mail.deliver("held back");
  expect([await send("one"), await send("two")]).toEqual([200, 200]);
  expect(received).toEqual([]);
  mail.deliver("at once");
  await eventually("they arrive", () => received.length === 2);
  expect(received.splice(0)).toEqual(["signed two", "signed one"]);
});

async function send(body: string): Promise<number> {
  const headers = { "stripe-signature": "signed" };
  const url = `http://127.0.0.1:${mail.port}/webhooks/payments`;
  return (await fetch(url, { method: "POST", body, headers })).status;
}
