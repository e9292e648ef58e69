import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { openSender, SEND_LIMITS } from "../../services/webhooks/send.ts";
import { eventually } from "../support/eventually.ts";

/** The receiver in examples/, run as docs/webhooks.md describes. */
const RECEIVER = resolve(import.meta.dirname, "../../examples/webhook-receiver/main.ts");
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;

test("the example verifies what it is sent, handles it once, and refuses what nobody signed", async () => {
  const { url, lines } = await startReceiver();
  const sender = openSender({ allowPrivate: true }, SEND_LIMITS);
  onTestFinished(sender.close);
  const send = async (secret: string, id: string) => {
    const event = { id, type: "billing.credits", account_id: "acme", sequence: "1", data: {} };
    const delivery = { sequence: 1n, webhookId: id, body: JSON.stringify(event) };
    const cut = new AbortController().signal;
    const endpoint = { endpointId: "e", url, secrets: [secret] };
    return (await sender.send(endpoint, delivery, { at: Date.now(), cut }))?.status;
  };
  expect(await send(SECRET, "msg_1")).toBe(204);
  expect(await send(SECRET, "msg_1")).toBe(204);
  expect(await send(OTHER, "msg_2")).toBe(401);
  await eventually("it has said so", () => lines.length >= 3);
  expect(lines.slice(1)).toEqual(["billing.credits acme 1", "again msg_1"]);
});

async function startReceiver() {
  const folder = await mkdtemp(join(tmpdir(), "receiver-"));
  const env = { WEBHOOK_SECRET: SECRET, PORT: "0", DATABASE: join(folder, "webhooks.db") };
  const child: ChildProcess = spawn(process.execPath, [RECEIVER], {
    env: { ...env, PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill();
    await once(child, "exit");
    await rm(folder, { recursive: true });
  });
  const lines: string[] = [];
  if (child.stdout === null) throw new Error("it has no output");
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await eventually("the receiver is up", () => lines.length > 0);
  return { url: lines[0]?.replace("receiving at ", "") ?? "", lines };
}
