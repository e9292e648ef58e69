import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openWay, type Way } from "./way.ts";

/** What the server has heard; it answers everything with "done". */
let heard = "";
const server = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    heard += String(data);
    socket.write("done");
  });
});
let way: Way;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  way = await openWay(() => port);
});

afterAll(async () => {
  await way.close();
  server.close();
});

test("what is watched for gets through, and its connection is reset without an answer", async () => {
  const { seen } = way.watch("COMMIT", "is reset");
  const client = await open();
  const failed = once(client, "error");
  client.write("COMMIT");
  await seen;
  expect(String(await failed)).toMatch(/ECONNRESET/);
  await eventually("the server hears it", () => heard.includes("COMMIT"));
  expect(client.bytesRead).toBe(0);
});

test("a connection that goes silent is not told", async () => {
  const { seen } = way.watch("COMMIT", "goes silent");
  const client = await open();
  client.write("COMMIT");
  await seen;
  expect([client.bytesRead, client.destroyed]).toEqual([0, false]);
  client.destroy();
});

test("only the first one is hit, and none that is forgotten", async () => {
  const { forget } = way.watch("COMMIT", "is reset");
  forget();
  const client = await open();
  client.write("COMMIT");
  expect(String(await once(client, "data"))).toBe("done");
  client.destroy();
});

test("while a way answers by itself, the server hears nothing", async () => {
  heard = "";
  way.setWeather({ kind: "answered", text: "no" });
  const client = await open();
  client.write("charge");
  expect(String(await once(client, "data"))).toBe("no");
  way.setWeather({ kind: "clear" });
  expect(heard).toBe("");
  client.destroy();
});

async function open(): Promise<Socket> {
  const client = connect({ host: "127.0.0.1", port: way.port });
  await once(client, "connect");
  return client;
}
