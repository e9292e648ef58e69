/**
 * What is written to be delivered, and what is due:
 * - each event once for each endpoint that wants it, however often it is read
 * - in order of the sequence for each account and type; what comes while a queue ends is not forgotten
 * - what is claimed is taken by nobody else, and again once the claim has run out
 * - the waits, and the pause after them
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { webhookReader } from "../../../shared/core/text/topics.ts";
import type { EventType } from "../../../shared/core/webhooks/event-types.ts";
import {
  OLD_SECRET_MS,
  RETRIED_FOR_MS,
  RETRY_WAITS_MS,
} from "../../../shared/core/webhooks/retries.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { firstDueWebhook, readBacklogs } from "../../../shared/ledger/webhooks/backlog.ts";
import {
  type ClaimedQueue,
  claimDeliveries,
} from "../../../shared/ledger/webhooks/claim-deliveries.ts";
import {
  createEndpoint,
  deleteEndpoint,
  MOST_ENDPOINTS,
  openEndpoints,
  pauseEndpoint,
  readEndpoint,
  resumeEndpoint,
  rotateSecret,
} from "../../../shared/ledger/webhooks/endpoints.ts";
import {
  listDeliveries,
  readDelivery,
  sendAgain,
} from "../../../shared/ledger/webhooks/list-deliveries.ts";
import { settleDeliveries } from "../../../shared/ledger/webhooks/settle-deliveries.ts";
import { takeEvents, webhookId } from "../../../shared/ledger/webhooks/take-events.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";

const now = Date.UTC(2026, 8, 1);
const LEASE_MS = 60_000;
const CREDITS: EventType = "billing.credits";
const LOW: EventType = "billing.low-balance";
let books: Books;
let database: Books["database"];
let endpoint: string;

beforeAll(async () => {
  books = await openBooks();
  database = books.database;
});

afterAll(() => books?.close());

beforeEach(async () => {
  await database.query(
    "TRUNCATE webhook_endpoint, webhook_delivery, webhook_queue, consumer_offset",
  );
  endpoint = await newEndpoint();
});

async function newEndpoint(types: readonly EventType[] = [CREDITS], at = now): Promise<string> {
  const asked = { url: "https://example.com/", types, by: "test", now: at };
  return (await createEndpoint(database, asked))?.endpointId ?? "";
}

interface Taken {
  readonly type?: EventType;
  readonly from?: bigint;
  readonly account?: string;
  readonly publishedAt?: number;
}

/** Takes events with these sequences, at offsets from `from` on. */
function take(sequences: readonly number[], taken: Taken = {}) {
  const { type = CREDITS, from = 0n, account = "acme", publishedAt = now } = taken;
  const accountId = toAccountId(account);
  const events = sequences.map((sequence, at) => ({
    ...{ accountId, sequence: BigInt(sequence), offset: from + BigInt(at), publishedAt },
    body: JSON.stringify({ sequence }),
  }));
  const nextOffset = from + BigInt(sequences.length);
  const stretch = {
    reader: webhookReader(type),
    type,
    partition: 0,
    fetchedFrom: from,
    nextOffset,
    events,
  };
  return takeEvents(database, stretch, now);
}

const claim = (at = now, places = 10, id = endpoint) =>
  claimDeliveries(database, [{ endpointId: id, places }], { now: at, leaseMs: LEASE_MS, most: 10 });

const sequencesOf = (queues: readonly ClaimedQueue[]) =>
  queues.map(({ deliveries }) => deliveries.map(({ sequence }) => Number(sequence)));

/** Settles a claim: the deliveries succeed one by one, up to the first problem. */
async function settle(
  queue: ClaimedQueue | undefined,
  problems: readonly (string | null)[],
  at = now,
) {
  if (queue === undefined) throw new Error("nothing was claimed");
  const attempts = problems.map((problem, index) => ({
    sequence: queue.deliveries[index]?.sequence ?? 0n,
    ...{ triedAt: at, tookMs: 5, status: problem === null ? 200 : 500, answerStart: "", problem },
  }));
  return settleDeliveries(database, [{ queue, attempts }], at);
}

async function claimOne(at = now): Promise<ClaimedQueue> {
  const [queue] = await claim(at);
  if (queue === undefined) throw new Error("nothing is due");
  return queue;
}

describe("an event is written", () => {
  test("once for each endpoint that wants its type, with one id, and the offset moves with it", async () => {
    const other = await newEndpoint([CREDITS, LOW]);
    await newEndpoint([LOW]);
    expect(await take([1, 2])).toEqual({ deliveries: 4, nextOffset: 2n });
    const ids = [1n, 2n].map((sequence) =>
      webhookId({ type: CREDITS, accountId: "acme", sequence }),
    );
    for (const id of [endpoint, other]) {
      const listed = await listDeliveries(database, id, { last: null, limit: 10 });
      expect(listed.map((each) => each.webhookId).toSorted()).toEqual(ids.toSorted());
    }
    expect(await readOffsets(database, webhookReader(CREDITS))).toEqual(new Map([[0, 2n]]));
  });

  test("once however often it is read: by an offset behind, or published again at another offset", async () => {
    await take([1, 2, 3]);
    expect(await take([1, 2, 3])).toEqual({ deliveries: 0, nextOffset: 3n });
    await take([3, 4], { from: 2n });
    await take([2, 3, 4, 5], { from: 4n });
    expect(sequencesOf(await claim())).toEqual([[1, 2, 3, 4, 5]]);
  });

  test("not where the books are behind: the reader is told to go back", async () => {
    await take([1]);
    expect(await take([9], { from: 8n })).toEqual({ deliveries: 0, nextOffset: 1n });
    expect(sequencesOf(await claim())).toEqual([[1]]);
  });

  test("for what was published since the endpoint was made, but for a minute of clocks that differ", async () => {
    await take([1], { publishedAt: now - 61_000 });
    await take([2], { from: 1n, publishedAt: now - 59_000 });
    expect(sequencesOf(await claim())).toEqual([[2]]);
  });

  test("by two processes that read the same at once, once", async () => {
    await take([1]);
    const both = [take([2, 3], { from: 1n }), take([2, 3], { from: 1n })];
    const written = (await Promise.all(both)).map(({ deliveries }) => deliveries);
    expect(written.toSorted()).toEqual([0, 2]);
    expect(sequencesOf(await claim())).toEqual([[1, 2, 3]]);
  });

  test("though nobody wants it, its offset moves", async () => {
    await deleteEndpoint(database, endpoint);
    expect(await take([1])).toEqual({ deliveries: 0, nextOffset: 1n });
    expect(await readOffsets(database, webhookReader(CREDITS))).toEqual(new Map([[0, 1n]]));
  });
});

describe("what is due", () => {
  test("is a queue for each account and type, in order of the sequence, whatever order it came in", async () => {
    await database.query("UPDATE webhook_endpoint SET types = $1", [[CREDITS, LOW]]);
    await take([2, 1]);
    await take([7], { from: 2n, account: "globex" });
    await take([1], { type: LOW });
    expect(sequencesOf(await claim()).toSorted()).toEqual([[1], [1, 2], [7]]);
  });

  test("is claimed by one process, and by another once the claim has run out", async () => {
    await take([1]);
    const [mine, theirs] = await Promise.all([claim(), claim()]);
    expect([...mine, ...theirs]).toHaveLength(1);
    expect(await claim(now + LEASE_MS - 1)).toEqual([]);
    const [again] = await claim(now + LEASE_MS);
    expect(again).toMatchObject({ accountId: "acme", claimedUntil: now + 2 * LEASE_MS });
    // The first one has lost it.
    await settle([...mine, ...theirs][0], [null], now + LEASE_MS);
    const [left] = await listDeliveries(database, endpoint, { last: null, limit: 1 });
    expect(left).toMatchObject({ attempts: 0, deliveredAt: null });
    await settle(again, [null], now + LEASE_MS);
    expect(await claim(now + 10 * LEASE_MS)).toEqual([]);
  });

  test("takes no more places than there are, those longest due first", async () => {
    for (const [at, account] of ["a", "b", "c"].entries())
      await take([1], { from: BigInt(at), account });
    await database.query(
      "UPDATE webhook_queue SET next_try_at = to_timestamp($1 / 1000.0) WHERE account_id = 'b'",
      [now - 1],
    );
    expect((await claim(now, 1)).map(({ accountId }) => accountId)).toEqual(["b"]);
    expect(await claim(now, 5)).toHaveLength(2);
  });

  test("is the oldest of a queue that is longer than what is taken at once", async () => {
    await take([3, 1, 2]);
    const rooms = [{ endpointId: endpoint, places: 1 }];
    const claimed = await claimDeliveries(database, rooms, { now, leaseMs: LEASE_MS, most: 2 });
    expect(sequencesOf(claimed)).toEqual([[1, 2]]);
    await settle(claimed[0], [null, null]);
    expect(sequencesOf(await claim())).toEqual([[3]]);
  });

  test("of one endpoint takes no place of another", async () => {
    const other = await newEndpoint();
    await take([1]);
    const rooms = [{ endpointId: other, places: 1 }];
    const claimed = await claimDeliveries(database, rooms, { now, leaseMs: LEASE_MS, most: 10 });
    expect(claimed.map(({ endpointId }) => endpointId)).toEqual([other]);
  });

  test("ends when all is delivered, and begins again with what comes", async () => {
    await take([1, 2]);
    await settle(await claimOne(), [null, null]);
    expect(await claim(now + LEASE_MS)).toEqual([]);
    await take([3], { from: 2n });
    expect(sequencesOf(await claim())).toEqual([[3]]);
  });

  test("is there for what comes while the last one is settled, whoever is first", async () => {
    for (let round = 0; round < 20; round += 1) {
      const from = BigInt(2 * round);
      await take([2 * round + 1], { from });
      const queue = await claimOne();
      await Promise.all([settle(queue, [null]), take([2 * round + 2], { from: from + 1n })]);
      expect(sequencesOf(await claim())).toEqual([[2 * round + 2]]);
      await database.query("UPDATE webhook_delivery SET delivered_at = now()");
      await database.query("DELETE FROM webhook_queue");
    }
  });

  test("waits for a writer that has not committed, rather than end without it", async () => {
    await take([1]);
    const queue = await claimOne();
    const settled = await inTransaction(database, async (writer) => {
      await writer.query(
        `INSERT INTO webhook_delivery (account_id, endpoint_id, type, sequence, webhook_id, body, created_at)
         VALUES ('acme', $1, $2, 2, 'msg', '{}', now())`,
        [endpoint, CREDITS],
      );
      await writer.query(
        `INSERT INTO webhook_queue (account_id, endpoint_id, type, next_try_at)
         VALUES ('acme', $1, $2, now())
         ON CONFLICT (account_id, endpoint_id, type) DO UPDATE SET tries = webhook_queue.tries WHERE false`,
        [endpoint, CREDITS],
      );
      const settling = settle(queue, [null]);
      await eventually("it waits for the writer", async () => {
        const { rows } = await database.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows.length > 0;
      });
      return { settling };
    });
    await settled.settling;
    expect(sequencesOf(await claim())).toEqual([[2]]);
  });

  test("is nothing of a queue whose deliveries housekeeping has deleted, and the queue ends", async () => {
    await take([1]);
    await database.query("DELETE FROM webhook_delivery");
    const queue = await claimOne();
    expect(queue.deliveries).toEqual([]);
    await settle(queue, []);
    expect(await claim(now + 10 * LEASE_MS)).toEqual([]);
    expect((await readBacklogs(database, 10))[0]?.queues).toBe(0);
  });
});

describe("a failure", () => {
  test("puts off the rest of its queue, and no other; the waits grow from one to the next", async () => {
    await take([1, 2, 3]);
    await settle(await claimOne(), [null, "answered 500"]);
    let at = now;
    for (const [tries, wait] of RETRY_WAITS_MS.slice(0, 3).entries()) {
      expect(await claim(at + wait - 1)).toEqual([]);
      at += wait;
      const queue = await claimOne(at);
      expect(sequencesOf([queue])).toEqual([[2, 3]]);
      expect(queue.tries).toBe(tries + 1);
      await settle(queue, ["answered 500"], at);
    }
    const tried = await readDelivery(database, endpoint, idOf(2n));
    expect(tried).toMatchObject({ attempts: 4, answerStatus: 500, problem: "answered 500" });
    expect(await readDelivery(database, endpoint, idOf(3n))).toMatchObject({ attempts: 0 });
  });

  test("after all waits pauses the endpoint, says so once, and keeps what waits", async () => {
    await take([1, 2]);
    await take([1], { from: 2n, account: "globex" });
    let at = now;
    for (const wait of RETRY_WAITS_MS) {
      for (const queue of await claim(at)) {
        const isGlobex = queue.accountId === "globex";
        expect(await settle(queue, [isGlobex ? null : "answered 500"], at)).toEqual([]);
      }
      at += wait;
    }
    expect(await readEndpoint(database, endpoint)).toMatchObject({ pausedAt: null });
    const paused = await settle(await claimOne(at), ["answered 500"], at);
    expect(paused).toEqual([{ endpointId: endpoint, problem: "answered 500" }]);
    expect(await readEndpoint(database, endpoint)).toMatchObject({
      ...{ pausedAt: at, pausedBy: null, problem: "answered 500", failingSince: now + 5_000 },
    });
    expect(await openEndpoints(database, at)).toEqual([]);
    await take([3], { from: 3n });
    await resumeEndpoint(database, endpoint, at);
    expect(sequencesOf(await claim(at))).toEqual([[1, 2, 3]]);
    expect(await readEndpoint(database, endpoint)).toMatchObject({
      pausedAt: null,
      failingSince: null,
    });
  });

  test("of an endpoint that nothing has reached for as long pauses it, though each account has failed only once", async () => {
    for (const [at, account] of ["a", "b", "c"].entries())
      await take([1], { from: BigInt(at), account });
    const [first] = await claim(now, 1);
    await settle(first, ["answered 500"]);
    const before = await claim(now + RETRIED_FOR_MS - 1, 1);
    expect(await settle(before[0], ["answered 500"], now + RETRIED_FOR_MS - 1)).toEqual([]);
    const after = await claim(now + RETRIED_FOR_MS, 1);
    expect(await settle(after[0], ["answered 500"], now + RETRIED_FOR_MS)).toHaveLength(1);
  });

  test("is forgotten once something succeeds", async () => {
    await take([1]);
    await take([1], { from: 1n, account: "globex" });
    const [first, second] = await claim();
    await settle(first, ["answered 500"]);
    expect(await readEndpoint(database, endpoint)).toMatchObject({ failingSince: now });
    await settle(second, [null], now + 1);
    expect(await readEndpoint(database, endpoint)).toMatchObject({
      failingSince: null,
      problem: null,
    });
  });
});

describe("a delivery", () => {
  test("is sent again with the same id, before what is newer, and counts on", async () => {
    await take([1, 2]);
    await settle(await claimOne(), [null, null]);
    await take([3], { from: 2n });
    expect(await sendAgain(database, endpoint, idOf(1n), now)).toBe(true);
    const queue = await claimOne();
    expect(queue.deliveries.map(({ webhookId: id }) => id)).toEqual([idOf(1n), idOf(3n)]);
    await settle(queue, [null, null]);
    expect(await readDelivery(database, endpoint, idOf(1n))).toMatchObject({ attempts: 2 });
    expect(await claim(now + LEASE_MS)).toEqual([]);
  });

  test("that waits for its next try is sent at once", async () => {
    await take([1]);
    await settle(await claimOne(), ["answered 500"]);
    expect(await claim()).toEqual([]);
    await sendAgain(database, endpoint, idOf(1n), now);
    expect(sequencesOf(await claim())).toEqual([[1]]);
  });

  test("of another endpoint, or none, is not", async () => {
    await take([1]);
    expect(await sendAgain(database, await newEndpoint(), idOf(1n), now)).toBe(false);
    expect(await sendAgain(database, endpoint, "msg_none", now)).toBe(false);
  });

  test("is listed page by page, the newest first", async () => {
    await take([1, 2, 3]);
    const all = await listDeliveries(database, endpoint, { last: null, limit: 10 });
    const first = await listDeliveries(database, endpoint, { last: null, limit: 2 });
    const rest = await listDeliveries(database, endpoint, { last: first[1] ?? null, limit: 2 });
    expect([...first, ...rest]).toEqual(all);
    expect(all).toHaveLength(3);
  });
});

describe("an endpoint", () => {
  test("that is paused gathers what comes, and is not reported as standing still", async () => {
    await pauseEndpoint(database, endpoint, { by: "ops", now });
    await take([1]);
    expect(await openEndpoints(database, now)).toEqual([]);
    expect(await firstDueWebhook(database, now)).toBeNull();
    expect(await readBacklogs(database, 10)).toMatchObject([{ queues: 1, pausedBy: "ops" }]);
    await resumeEndpoint(database, endpoint, now);
    expect(await firstDueWebhook(database, now)).toContain(endpoint);
  });

  test("whose secret is replaced signs by both for a day", async () => {
    const secrets = async (at: number) => (await openEndpoints(database, at))[0]?.secrets ?? [];
    const [first = ""] = await secrets(now);
    const replaced = await rotateSecret(database, endpoint, now);
    expect(replaced?.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(replaced?.oldSecretUntil).toBe(now + OLD_SECRET_MS);
    expect(await secrets(now + OLD_SECRET_MS - 1)).toEqual([replaced?.secret, first]);
    expect(await secrets(now + OLD_SECRET_MS)).toEqual([replaced?.secret]);
  });

  test("that is deleted is sent nothing more, though events come at the same time", async () => {
    await take([1]);
    await Promise.all([take([2], { from: 1n }), deleteEndpoint(database, endpoint)]);
    const { rows } = await database.query("SELECT FROM webhook_queue");
    expect(rows).toEqual([]);
    expect(await readEndpoint(database, endpoint)).toBeNull();
  });

  test("is one of at most a hundred", async () => {
    for (let count = 1; count < MOST_ENDPOINTS; count += 1) await newEndpoint();
    expect(await newEndpoint()).toBe("");
  });
});

function idOf(sequence: bigint): string {
  return webhookId({ type: CREDITS, accountId: "acme", sequence });
}
