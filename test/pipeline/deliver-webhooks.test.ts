/**
 * What is due reaches real receivers that misbehave, whoever is in the way:
 * - in order for each account, also through failures and with two processes at once
 * - a dead endpoint beside a live one
 * - a service that stops ends what is under way, or leaves it to be sent again
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { delivering } from "../../services/webhooks/deliver.ts";
import { openRooms } from "../../services/webhooks/rooms.ts";
import { openSender } from "../../services/webhooks/send.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { webhookReader } from "../../shared/core/text/topics.ts";
import { RETRY_WAITS_MS } from "../../shared/core/webhooks/retries.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { createEndpoint, readEndpoint } from "../../shared/ledger/webhooks/endpoints.ts";
import { listDeliveries } from "../../shared/ledger/webhooks/list-deliveries.ts";
import { takeEvents } from "../../shared/ledger/webhooks/take-events.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { openLog } from "../support/logged.ts";
import { MISBEHAVIOUR, openReceiver } from "../support/processes/misbehaving-receiver.ts";

const TYPE = "billing.credits";
const ACCOUNTS = ["a", "b", "c", "d"];
let books: Books;
let offset: bigint;

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books?.close());
beforeEach(async () => {
  offset = 0n;
  await books.database.query(
    "TRUNCATE webhook_endpoint, webhook_delivery, webhook_queue, consumer_offset",
  );
});

async function endpointAt(url: string): Promise<string> {
  const asked = { url, types: [TYPE], by: "test", now: Date.now() } as const;
  return (await createEndpoint(books.database, asked))?.endpointId ?? "";
}

/** An event of each account with these sequences. */
async function publish(accounts: readonly string[], ...sequences: readonly number[]) {
  const events = sequences.flatMap((sequence) =>
    accounts.map((account, at) => ({
      ...{ accountId: toAccountId(account), sequence: BigInt(sequence), publishedAt: Date.now() },
      offset: offset + BigInt(at),
      body: JSON.stringify({ account, sequence }),
    })),
  );
  const nextOffset = offset + BigInt(events.length);
  const numbered = events.map((event, at) => ({ ...event, offset: offset + BigInt(at) }));
  const stretch = {
    reader: webhookReader(TYPE),
    type: TYPE,
    partition: 0,
    fetchedFrom: offset,
  } as const;
  await takeEvents(books.database, { ...stretch, nextOffset, events: numbered }, Date.now());
  offset = nextOffset;
}

/** Delivers until the test ends, as a process of its own would. */
function deliver({ answerMs = 500, ahead = (): number => 0 } = {}) {
  const stop = new AbortController();
  const { logger, logged } = openLog();
  const stopping = stop.signal;
  const sender = openSender({ allowPrivate: true }, { connectMs: answerMs, answerMs });
  const deliveries = delivering({
    ...{ database: books.database, sender, rooms: openRooms(), logger, stopping },
    waits: retryOutages({ logger, stopping }),
    now: () => Date.now() + ahead(),
  });
  const running = deliveries.run();
  const end = async () => {
    stop.abort();
    await running;
    sender.close();
  };
  onTestFinished(end);
  return { end, logged };
}

const waitingOf = async (endpointId: string) =>
  (await listDeliveries(books.database, endpointId, { last: null, limit: 1_000 })).filter(
    ({ deliveredAt }) => deliveredAt === null,
  );

const bodiesOf = (received: readonly { readonly body: string }[], account: string) =>
  received
    .map(({ body }) => JSON.parse(body) as { account: string; sequence: number })
    .filter((body) => body.account === account)
    .map(({ sequence }) => sequence);

test("two processes deliver each account's events in order, though some fail at first", async () => {
  const seen = new Set<string>();
  const receiver = await openReceiver(({ body }) => {
    if (!/"sequence":[35]/.test(body) || seen.has(body)) return 200;
    seen.add(body);
    return 503;
  });
  const endpoint = await endpointAt(receiver.url);
  deliver();
  deliver();
  await publish(ACCOUNTS, 1, 2, 3, 4, 5, 6);
  const isDone = async () => (await waitingOf(endpoint)).length === 0;
  await eventually("all is delivered", isDone, 40_000);
  for (const account of ACCOUNTS) {
    const came = bodiesOf(receiver.received, account);
    expect(came).toEqual([1, 2, 3, 3, 4, 5, 5, 6]);
  }
});

test("a dead endpoint, one that hangs and one that never ends hold up no other", async () => {
  const hanging = await openReceiver(() => MISBEHAVIOUR.never);
  const endless = await openReceiver(() => MISBEHAVIOUR.endless);
  const live = await openReceiver();
  await endpointAt("http://127.0.0.1:9/");
  await endpointAt(hanging.url);
  await endpointAt(endless.url);
  const endpoint = await endpointAt(live.url);
  const accounts = Array.from({ length: 100 }, (_, at) => `account-${at}`);
  await publish(accounts, 1);
  deliver({ answerMs: 60_000 });
  await eventually(
    "the live one has all",
    async () => (await waitingOf(endpoint)).length === 0,
    30_000,
  );
  expect(live.received).toHaveLength(100);
  expect(hanging.received.length).toBeLessThanOrEqual(32);
}, 60_000);

test("one that fails through all waits is paused, and the log says so once", async () => {
  let ahead = 0;
  const receiver = await openReceiver(() => MISBEHAVIOUR.redirect);
  const endpoint = await endpointAt(receiver.url);
  const { logged } = deliver({ ahead: () => ahead });
  await publish(["a"], 1);
  for (const [tries, wait] of [...RETRY_WAITS_MS, 0].entries()) {
    await eventually(`try ${tries + 1}`, async () => {
      const [delivery] = await waitingOf(endpoint);
      return delivery?.attempts === tries + 1;
    });
    ahead += wait;
  }
  const problem = "answered 302, a redirect: redirects are not followed";
  expect(await readEndpoint(books.database, endpoint)).toMatchObject({ problem, pausedBy: null });
  expect(logged.filter(({ level }) => level === "error")).toMatchObject([
    { endpointId: endpoint, problem, msg: expect.stringContaining("is paused") },
  ]);
  expect(receiver.received).toHaveLength(RETRY_WAITS_MS.length + 1);
}, 120_000);

test("what waits for an answer when the service stops is sent again, with the same id", async () => {
  const receiver = await openReceiver((_, before) => (before === 0 ? MISBEHAVIOUR.never : 200));
  const endpoint = await endpointAt(receiver.url);
  await publish(["a"], 1);
  const first = deliver({ answerMs: 60_000 });
  await receiver.has(1);
  const startedAt = performance.now();
  await first.end();
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  deliver();
  await eventually("it is delivered", async () => (await waitingOf(endpoint)).length === 0);
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(ids).toEqual([ids[0], ids[0]]);
}, 60_000);
