import { eventIds } from "../../shared/client/event-ids.ts";
import { housekeepingRules } from "../../shared/core/history/retention.ts";
import type { Instant } from "../../shared/core/line/account.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import type { ReceivedEvent } from "../../shared/core/usage/usage-event.ts";
import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { keepHouse } from "../../shared/ledger/housekeeping/keep-house.ts";
import { type Database, openDatabase, queryRow } from "../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { batchOf } from "../support/books/batch-of.ts";
import type { Figure } from "./figure.ts";
import { accountName, METERS } from "./load.ts";
import type { Bench } from "./throughput.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS = 160;
/** Each generation of identities and each dropped month has come and gone by then. */
const SETTLED_AFTER_DAYS = 95;
const ACCOUNTS = 500;
const BATCHES_A_DAY = 4;
/** The least that goes with the window in which repeats are found. */
const RETENTION = housekeepingRules({
  deadLetters: null,
  reconciliations: null,
  repeats: { count: 36, unit: "day" },
  usage: { count: 2, unit: "month" },
  webhooks: null,
});

/** Bytes on disk; of indexes among them. */
interface Sizes {
  readonly identities: number;
  readonly identityIndexes: number;
  readonly pages: number;
  readonly pageIndexes: number;
}

/**
 * Meters usage and keeps house day after day, with the clock advanced by a day each time: what the books
 * take at their largest in the second half of the days, beside the days before.
 */
export async function soak(bench: Bench, eventsADay: number): Promise<Figure[]> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const database = openDatabase({ url, tls: null }, { name: "soak", connections: 2 });
  const sizes: Sizes[] = [];
  try {
    const oneDay = daily(database, eventsADay);
    for (let day = 0; day < DAYS; day += 1) {
      await oneDay(Date.now() + day * DAY_MS);
      sizes.push(await readSizes(database));
      if (day % 10 === 9) bench.say(`day ${day + 1} of ${DAYS}: ${asText(sizes.at(-1))}`);
    }
  } finally {
    await database.end();
    await bench.books.drop(url);
  }
  const half = Math.round((SETTLED_AFTER_DAYS + DAYS) / 2);
  const before = largest(sizes.slice(SETTLED_AFTER_DAYS, half));
  const after = largest(sizes.slice(half));
  const flat = (name: string, of: keyof Sizes): Figure => ({
    ...{ name: `${name} after ${DAYS} days`, value: after[of] / 2 ** 20, unit: "MB" },
    beside: { name: `day ${SETTLED_AFTER_DAYS} to ${half}`, value: before[of] / 2 ** 20 },
    ratio: {
      median: after[of] / before[of],
      least: after[of] / before[of],
      most: after[of] / before[of],
    },
    target: { atMost: 1.1 },
  });
  return [
    flat("identities", "identities"),
    flat("indexes of identities", "identityIndexes"),
    flat("pages", "pages"),
    flat("indexes of pages", "pageIndexes"),
  ];
}

/** A day of usage, and the housekeeping at its end. */
function daily(database: Database, events: number): (now: Instant) => Promise<void> {
  const readRates = ratesReader();
  const newId = eventIds();
  let offset = 0n;
  return async (now) => {
    for (let batch = 0; batch < BATCHES_A_DAY; batch += 1) {
      const at = now + (batch * DAY_MS) / BATCHES_A_DAY;
      const fetchedFrom = offset;
      const used = Array.from(
        { length: events / BATCHES_A_DAY },
        (_, index): ReceivedEvent => ({
          eventId: newId(at),
          accountId: toAccountId(accountName(index % ACCOUNTS)),
          meter: METERS[index % METERS.length] ?? METERS[0],
          quantity: 100n,
          occurredAt: at,
          source: "soak",
          dimensions: {},
          quantities: {},
          holdId: null,
          partition: 0,
          offset: offset++,
        }),
      );
      const run = { partition: 0, fetchedFrom, nextOffset: offset, events: used };
      const outcome = await debitUsage(database, readRates, batchOf([run], { now: at }));
      if (outcome.metered !== used.length) throw new Error(`metered ${outcome.metered} events`);
    }
    const end = now + DAY_MS;
    await recordUsageComplete(database, end);
    const state = { now: end, completeUntil: end, firstOffsets: new Map() };
    const never = new AbortController().signal;
    for await (const { table, finished } of keepHouse(database, RETENTION, state, never)) {
      if (!finished) throw new Error(`housekeeping of ${table} did not end`);
    }
  };
}

const SIZES = `
  SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE is_identity)::float8 AS "identities",
         sum(pg_indexes_size(oid)) FILTER (WHERE is_identity)::float8 AS "identityIndexes",
         sum(pg_total_relation_size(oid)) FILTER (WHERE NOT is_identity)::float8 AS "pages",
         sum(pg_indexes_size(oid)) FILTER (WHERE NOT is_identity)::float8 AS "pageIndexes"
  FROM (
    SELECT oid, relname LIKE 'usage\\_identity%' AS is_identity
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND (relname LIKE 'usage\\_identity%' OR relname LIKE 'usage\\_page\\_%')
  ) AS tables`;

async function readSizes(database: Database): Promise<Sizes> {
  const sizes = await queryRow<Sizes>(database, SIZES);
  if (sizes === null) throw new Error("no sizes");
  return sizes;
}

function largest(sizes: readonly Sizes[]): Sizes {
  const most = (of: keyof Sizes) => Math.max(...sizes.map((size) => size[of]));
  return {
    identities: most("identities"),
    identityIndexes: most("identityIndexes"),
    pages: most("pages"),
    pageIndexes: most("pageIndexes"),
  };
}

function asText(sizes: Sizes | undefined): string {
  const megabytes = (bytes = 0) => (bytes / 2 ** 20).toFixed(1);
  return `identities ${megabytes(sizes?.identities)} MB, pages ${megabytes(sizes?.pages)} MB`;
}
