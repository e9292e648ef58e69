/** The API as a process that is asked to stop (SIGTERM) while it is busy. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { API_SERVICE } from "../../infra/local/services.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { makeKey } from "../support/processes/api.ts";
import { startLoad } from "../support/processes/http-load.ts";
import { startService } from "../support/processes/service-process.ts";
import { openStream } from "../support/processes/stream-reader.ts";

const STOPS_WITHIN_MS = 3_000;
const STREAMS = 100;
const CONNECTIONS = 50;
/** A request this young may still be on its way when its connection closes. */
const ON_ITS_WAY_MS = 5;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await openAccount(books, "busy", { lots: [{ credits: 1_000_000n }] });
});

afterAll(async () => {
  await books?.close();
});

test("with 100 streams and under load it stops within 3 s, ends the streams and leaves no request half answered", async () => {
  const env = { ...process.env, DATABASE_URL: books.url, API_PORT: "0" };
  const api = startService(API_SERVICE, env);
  try {
    const origin = String((await api.says(/^serving$/, 40_000))["address"]);
    const key = await makeKey(books, ["admin"]);
    const opening = Array.from({ length: STREAMS }, () =>
      openStream(origin, { account: "busy", key }),
    );
    const streams = await Promise.all(opening);
    // These keep their connections open, and send nothing more.
    const last = startLoad(origin, key, CONNECTIONS, asked);
    const load = startLoad(origin, key, CONNECTIONS, asked);
    await eventually("it is busy", () => load.answered.length > 1_000);

    const stoppedAt = performance.now();
    const lastAnswered = last.end();
    expect(await api.stop()).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(STOPS_WITHIN_MS);
    await Promise.all([lastAnswered, load.end()]);
    await Promise.all(streams.map(({ ended }) => ended));
    const answered = [...last.answered, ...load.answered];
    const before = answered.filter(({ sentAt }) => sentAt < stoppedAt - ON_ITS_WAY_MS);
    expect(new Set(before.map(({ as }) => as))).toEqual(new Set([200, 202]));
    expect(answered.filter(({ as }) => as === "half")).toEqual([]);
    expect(api.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  } finally {
    await api.kill();
  }
});

test("asked while it starts, it stops by itself, and not because it was given up", async () => {
  const api = startService(API_SERVICE, { ...process.env, DATABASE_URL: books.url, API_PORT: "0" });
  try {
    await api.says(/^serving health$/, 40_000);
    expect(await api.stop()).toBe(0);
    const stopped = { level: "info", msg: "stopped" };
    expect(api.log).toContainEqual(expect.objectContaining(stopped));
  } finally {
    await api.kill();
  }
}, 90_000);

/** Every other request is usage, which waits for Kafka's acknowledgement. */
function asked(count: number) {
  if (count % 2 === 0) return { method: "GET", path: "/v1/accounts/busy/balance" } as const;
  const event = { specversion: "1.0", id: `stop-${count}`, source: "test", type: "call" };
  const body = JSON.stringify({ ...event, subject: "busy", data: { quantity: 1 } });
  return { method: "POST", path: "/v1/events", body } as const;
}
