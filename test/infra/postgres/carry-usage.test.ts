/** A version before kept usage in the tables usage_record and draw; set-up carries it over to pages. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CarryProgress } from "../../../infra/postgres/carry-usage.ts";
import { migrate } from "../../../infra/postgres/migrate.ts";
import { DEFAULT_WINDOW } from "../../../shared/core/usage/usage-event.ts";
import { queryRows } from "../../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import {
  type DrawnBefore,
  goBackBeforePages,
  meterBefore,
  type RecordRow,
} from "../../support/books/books-before-pages.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = Date.now();
const PRICE = 2;
/** Each of a shape of its own. */
const ACCOUNTS = ["busy", "ids", "late", "single", "sources"];
/** A few draws of these accounts each. */
const BATCH_BYTES = 3_000;

let books: Books;
let offset = 0;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", BigInt(PRICE));
  for (const account of ACCOUNTS) {
    await openAccount(books, account, { lots: [{ credits: 1_000_000_000n }] });
  }
  await goBackBeforePages(books);
});

afterAll(() => books?.close());

test("usage is carried while the version before meters, continued where it ended, and nothing differs", async () => {
  const draws = ACCOUNTS.flatMap(historyOf);
  await meterBefore(books.database, draws);

  const [first] = draws;
  const unnamed = { ...recordOf(first), event_id: "unnamed", kafka_offset: -1 };
  await books.database.query(ADD_RECORD, [JSON.stringify([unnamed])]);
  await expect(carry()).rejects.toThrow(
    /usage_record has event unnamed of account busy, which no draw names.*drawdown reconcile --repair/,
  );
  await books.database.query("DELETE FROM usage_record WHERE event_id = 'unnamed'");
  const removed = recordOf(draws.at(-1));
  const remove = "DELETE FROM usage_record WHERE event_id = $1 AND account_id = 'sources'";
  await books.database.query(remove, [removed.event_id]);
  await expect(carry()).rejects.toThrow(
    `draw names event ${removed.event_id} of account sources, which usage_record does not have`,
  );
  expect(await queryRows(books.database, "SELECT FROM usage_page")).toEqual([]);
  await books.database.query(ADD_RECORD, [JSON.stringify([removed])]);

  const killed = carry(async ({ carried }) => {
    if (carried === 0n) return;
    draws.push(...(await meterMore(draws)));
    if (carried > 300n) throw new Error("killed");
  });
  await expect(killed).rejects.toThrow("killed");
  const repairing = books.database.query(remove, [removed.event_id]);
  await expect(repairing).rejects.toThrow("usage is being carried over");

  const writer = await books.database.connect();
  const waited: (string | null)[] = [];
  let before: bigint | null = null;
  const migrations = await carry(async ({ carried, waitsFor }) => {
    if (before === null) {
      before = carried;
      await writer.query("BEGIN");
      draws.push(...(await meterMore(draws, writer)));
    }
    if (waitsFor !== null) {
      waited.push(waitsFor);
      await writer.query("COMMIT");
    }
  });
  writer.release();
  expect(before).toBeGreaterThan(300n);
  expect(waited).toEqual(["drawdown-test"]);
  expect(migrations).toContain("0028_usage_pages_only");

  expect(await recordsOnPages()).toEqual(inOrder(draws));
  expect(await brokenInvariants(books.database, "busy")).toEqual([]);
  expect(await brokenInvariants(books.database, "s%")).toEqual([]);
  expect(await migrate(books.database)).toEqual([]);
});

test("an event that was carried is a repeat, and others are metered after it", async () => {
  const of = (account: string) =>
    recordOf(historyOf(account).findLast(({ version }) => version % 7 === 0));
  const usage = ACCOUNTS.filter((account) => account !== "late").map((account) => {
    const { event_id, occurred_at, quantity, source, dimensions } = of(account);
    return {
      ...{ eventId: event_id, accountId: account, quantity: BigInt(quantity), source },
      ...{ occurredAt: Date.parse(occurred_at), dimensions: dimensions ?? {} },
    };
  });
  const batches = usageBatches(books, "after carrying");
  const fresh = { eventId: "fresh", accountId: "busy", quantity: 1n };
  expect(await batches.debit([...usage, fresh])).toMatchObject({ metered: 1, repeats: 4 });
  expect(await brokenInvariants(books.database, "busy")).toEqual([]);
});

test("pages of neighbouring draws are one, but not of two days", async () => {
  const [{ pages, events, apart } = { pages: 0, events: 0, apart: "" }] = await queryRows<{
    pages: number;
    events: number;
    apart: string;
  }>(
    books.database,
    `SELECT count(*)::integer AS pages, sum(cardinality(quantities))::integer AS events,
            max((SELECT max(after) FROM unnest(metered_after) AS after)) AS apart
     FROM usage_page WHERE account_id = 'single'`,
  );
  expect(events / pages).toBeGreaterThan(2);
  expect(Number(apart)).toBeLessThan(DAY_MS);
});

function carry(onProgress: (progress: CarryProgress) => void | Promise<void> = () => undefined) {
  return migrate(books.database, { ...DEFAULT_WINDOW, batchBytes: BATCH_BYTES, onProgress });
}

const ADD_RECORD =
  "INSERT INTO usage_record SELECT * FROM jsonb_populate_recordset(NULL::usage_record, $1)";

function recordOf(draw: DrawnBefore | undefined): RecordRow {
  const record = draw?.records.at(-1);
  if (record === undefined) throw new Error("a draw without records");
  return record;
}

/** From 100 days ago on. */
function historyOf(account: string): DrawnBefore[] {
  const draws: DrawnBefore[] = [];
  let start = 0;
  offset = ACCOUNTS.indexOf(account) * 100_000;
  for (let version = 2; version < 60; version += 1) {
    const draw = drawOf(account, version, start, timeOf(account, version));
    draws.push(draw);
    start = endOf(draw);
  }
  return draws;
}

/** Those of `single` lie close together. */
function timeOf(account: string, version: number): number {
  const before = 60 - version;
  if (account === "single") return NOW - Math.floor(before / 8) * 13 * DAY_MS - before * 1_000;
  return NOW - before * 1.7 * DAY_MS;
}

/** What accounts that are carried already draw, and others that are not yet. */
async function meterMore(
  draws: readonly DrawnBefore[],
  on: Pick<Books["database"], "query"> = books.database,
) {
  const more = ACCOUNTS.map((account) => {
    const last = draws.filter((draw) => recordOf(draw).account_id === account).at(-1);
    const version = (last?.version ?? 0) + 1;
    offset = recordOf(last).kafka_offset + 1;
    return drawOf(account, version, last === undefined ? 0 : endOf(last), NOW + version);
  });
  await meterBefore(on, more);
  return more;
}

function drawOf(account: string, version: number, from: number, at: number): DrawnBefore {
  const records: RecordRow[] = [];
  let start = from;
  const count = account === "single" ? 1 : version === 30 ? 130 : (version % 4) + 1;
  for (let place = 0; place < count; place += 1) {
    const record = recordAt(account, { version, place, start, at });
    records.push(record);
    start += record.credits - (record.given_back ?? 0);
  }
  const named = account === "sources" ? "each" : version < 20 ? "none" : "one";
  return { version, records, sources: named };
}

interface Place {
  readonly version: number;
  readonly place: number;
  readonly start: number;
  readonly at: number;
}

function recordAt(account: string, { version, place, start, at }: Place): RecordRow {
  const quantity = (version + place) % 5;
  const credits = quantity * PRICE;
  offset += 1;
  return {
    event_id: idOf(account, version, place),
    account_id: account,
    meter: "call",
    quantity,
    occurred_at: new Date(Math.floor(at) - place * 977 * 60).toISOString(),
    source: account === "sources" ? (["", "api", "l".repeat(300)][place % 3] ?? "") : "app",
    dimensions: place % 3 === 1 ? { team: 'ä "b"', region: `${version % 2}` } : null,
    credits,
    start_position: start,
    // Beyond those that tests in the same process meter by themselves.
    kafka_partition: 1_000 + (ACCOUNTS.indexOf(account) % 2),
    kafka_offset: offset,
    metered_at: new Date(Math.floor(at)).toISOString(),
    given_back: account === "late" && version % 3 === 0 ? Math.floor(credits / 2) : null,
  };
}

/** Those of `ids` are of all shapes; those of `sources` come again under other sources. */
function idOf(account: string, version: number, place: number): string {
  const digits = String(version * 1_000 + place).padStart(12, "0");
  const v7 = `0198c0de-${String(version).padStart(4, "0")}-7000-8000-${digits}`;
  if (account === "sources") return `event-${version}-${Math.floor(place / 3)}`;
  if (account !== "ids") return v7;
  return [v7, v7.toUpperCase(), `order {${version}} "${place}"`, v7.replace("-7000-", "-4abc-")][
    (version + place) % 4
  ] as string;
}

function endOf({ records }: DrawnBefore): number {
  const last = records.at(-1);
  return last === undefined ? 0 : last.start_position + last.credits - (last.given_back ?? 0);
}

function inOrder(draws: readonly DrawnBefore[]): object[] {
  return ACCOUNTS.flatMap((account) =>
    draws
      .filter((draw) => recordOf(draw).account_id === account)
      .flatMap(({ version, records }) =>
        records.map(({ given_back, ...record }) => ({
          ...record,
          given_back: given_back ?? 0,
          version,
        })),
      ),
  );
}

/** In the order in which they drew. */
async function recordsOnPages(): Promise<unknown[]> {
  const rows = await queryRows<{ record: { occurred_at: string; metered_at: string } }>(
    books.database,
    `SELECT to_jsonb(record) AS record
     FROM (SELECT event_id, account_id, meter, quantity, occurred_at, source, dimensions, credits,
                  start_position, kafka_partition, kafka_offset, metered_at,
                  coalesce(given_back, 0) AS given_back, version
           FROM usage_record
           ORDER BY account_id, page_start, page_version, place) AS record`,
  );
  return rows.map(({ record }) => ({
    ...record,
    occurred_at: new Date(record.occurred_at).toISOString(),
    metered_at: new Date(record.metered_at).toISOString(),
  }));
}
