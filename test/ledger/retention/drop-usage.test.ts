import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { dropUsageMonth } from "../../../shared/ledger/housekeeping/drop-usage.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import {
  allowWholeTables,
  readUsageSnapshot,
} from "../../../shared/ledger/postgres/read-snapshot.ts";
import { checkInvariants } from "../../../shared/ledger/proof/invariants.ts";
import {
  type OriginalRecord,
  restoreRecord,
} from "../../../shared/ledger/proof/restore-records.ts";
import { type EventRow, eventOfRows } from "../../../shared/ledger/usage/event-rows.ts";
import { pastPartitions, usagePastUntil } from "../../../shared/ledger/usage/past-usage.ts";
import { EVENT_FIELDS } from "../../../shared/ledger/usage/records.ts";
import {
  type Books,
  connect,
  copyBooks,
  openAccount,
  setPrice,
} from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon, oldUsage, openOldBooks } from "../../support/books/old-usage.ts";

/**
 * Months of usage are dropped from books of four months, as the services' role.
 *
 * - the books stay provable: what is kept of a dropped month stands for it in every invariant
 * - a fault in what is kept, of months or of sums, is found
 * - a month goes whole or not at all, and nobody waits for it
 */
const BEFORE = noon("2025-10-20");

let books: Books;

beforeAll(async () => {
  books = await openOldBooks();
}, 60_000);

afterAll(() => books?.close());

/** A copy of the books, and of a connection as the services have it. */
async function inCopy(work: (copy: Books, services: Books["database"]) => Promise<void>) {
  const copy = await copyBooks(books);
  const services = connect(copy.url);
  try {
    await work(copy, services);
  } finally {
    await services.end();
    await copy.close();
  }
}

async function dropAll(services: Books["database"], before = BEFORE): Promise<string[]> {
  const { months, end } = await dropMonths(services, before);
  const names = months.map(({ month, events }) => {
    return `${new Date(month).toISOString().slice(0, 7)}: ${events}`;
  });
  return [...names, end];
}

async function left({ database }: Books): Promise<string[]> {
  const { rows } = await database.query<{ event_id: string }>(
    "SELECT event_id FROM usage_record ORDER BY metered_at, event_id",
  );
  return rows.map((row) => row.event_id);
}

test("months go whole, the oldest first, once all of them is old enough", async () => {
  await inCopy(async (copy, services) => {
    expect(await brokenInvariants(copy.database)).toEqual([]);
    expect(await dropAll(services, Date.UTC(2025, 8, 1) - 1)).toEqual(["none"]);
    expect(await dropAll(services, Date.UTC(2025, 8, 1))).toEqual(["2025-08: 5", "none"]);
    expect(await brokenInvariants(copy.database)).toEqual([]);
    expect(await dropAll(services)).toEqual(["2025-09: 5", "none"]);
    expect(await left(copy)).toEqual([
      "2025-10-10/10",
      "2025-10-10/9",
      "2025-11-10/11",
      "2025-11-10/12",
      "2025-11-10/2",
    ]);
    expect(await brokenInvariants(copy.database)).toEqual([]);
  });
}, 30_000);

test("what is kept: sums by rate, the stretches of the line, and where it was read", async () => {
  await inCopy(async ({ database }, services) => {
    await dropAll(services);
    const rows = async (text: string) => (await database.query(text)).rows;
    expect(
      await rows(
        "SELECT account_id, meter, valid_from, events, quantity, credits, given_back FROM usage_past ORDER BY 1, 2, 3",
      ),
    ).toEqual([
      past("acme", "byte", 0, [3n, "9", 3n, 0n]),
      past("acme", "byte", noon("2025-09-10"), [2n, "6", 1n, 0n]),
      past("acme", "call", 0, [3n, "7", 7_000n, 1_000n]),
      past("bolt", "call", 0, [1n, "3", 3_000n, 0n]),
      past("free", "gift", 0, [1n, "3", 0n, 0n]),
    ]);
    // Between those of acme lie a lot's expiry and an adjustment. The second one goes on over months.
    expect(
      await rows(
        `SELECT account_id, start_position, end_position FROM usage_past_stretch ORDER BY 1, 2`,
      ),
    ).toEqual([
      stretch("acme", 0n, 3_001n),
      stretch("acme", 4_500n, 4_502n),
      stretch("acme", 5_202n, 8_203n),
      stretch("bolt", 4_500n, 7_500n),
      stretch("free", 0n, 0n),
    ]);
    expect(
      await rows("SELECT sum(events) AS events, sum(credits) AS credits FROM usage_past_partition"),
    ).toEqual([{ events: "10", credits: "10004" }]);
  });

  function past(account_id: string, meter: string, valid_from: number, sums: unknown[]) {
    const [events, quantity, credits, given_back] = sums;
    return { account_id, meter, valid_from, events, quantity, credits, given_back };
  }

  function stretch(account_id: string, start_position: bigint, end_position: bigint) {
    return { account_id, start_position, end_position };
  }
}, 30_000);

describe("a fault is found", () => {
  const OF_SUM = "UPDATE usage_past SET";
  test.each([
    `${OF_SUM} events = events + 1 WHERE account_id = 'bolt'`,
    `${OF_SUM} quantity = quantity - 1 WHERE account_id = 'bolt'`,
    `${OF_SUM} credits = credits + 1 WHERE account_id = 'bolt'`,
    `${OF_SUM} given_back = given_back + 1, credits = credits + 1 WHERE meter = 'call' AND account_id = 'acme'`,
    `${OF_SUM} valid_from = '2025-09-11' WHERE valid_from > to_timestamp(0)`,
    `DELETE FROM usage_past WHERE account_id = 'free'`,
    `UPDATE usage_past_stretch SET start_position = start_position + 1 WHERE account_id = 'bolt'`,
    `UPDATE usage_past_stretch SET start_position = start_position + 5, end_position = end_position + 5 WHERE account_id = 'bolt'`,
    `DELETE FROM usage_past_stretch WHERE account_id = 'bolt'`,
    `UPDATE usage_record SET quantity = 4 WHERE event_id = '2025-11-10/12'`,
    `UPDATE usage_record SET given_back = 999 WHERE given_back IS NOT NULL`,
    `DELETE FROM usage_record WHERE event_id = '2025-11-10/12'`,
    `DELETE FROM entry WHERE account_id = 'acme' AND kind = 'adjustment'`,
  ])("%s", async (plant) => {
    await inCopy(async (copy, services) => {
      await dropAll(services);
      const { rowCount } = await copy.database.query(plant);
      expect(rowCount).toBeGreaterThan(0);
      expect(await brokenInvariants(copy.database)).not.toEqual([]);
    });
  });
});

test("credits of a partition that together exceed 64 bits are dropped, and kept exactly", async () => {
  await inCopy(async (copy, services) => {
    await setPrice(copy, "unit", 1n);
    const accounts = ["big-1", "big-2", "big-3"];
    const lots = [{ credits: MAX_BIGINT, expiresAt: noon("2025-08-20") }];
    for (const id of accounts) await openAccount(copy, id, { at: noon("2025-07-01"), lots });
    const { use } = oldUsage(copy, "big-1", "big");
    await use("2025-08-31", ...accounts.map((accountId) => ({ accountId, meter: "gift" })));
    // It occurred before the lots ended, and gets back what expired of them.
    const late = { meter: "unit", quantity: MAX_BIGINT, occurredAt: noon("2025-08-19") };
    await use("2025-09-01", ...accounts.map((accountId) => ({ accountId, ...late })));

    expect(await dropAll(services)).toEqual(["2025-08: 8", "2025-09: 8", "none"]);
    expect(await brokenInvariants(copy.database)).toEqual([]);
    const { rows } = await copy.database.query(
      "SELECT account_id, credits, given_back FROM usage_past WHERE meter = 'unit' ORDER BY 1",
    );
    expect(rows).toEqual(
      accounts.map((id) => ({ account_id: id, credits: MAX_BIGINT, given_back: MAX_BIGINT })),
    );
    const past = await inTransaction(services, pastPartitions);
    const most = past.reduce((most, { credits }) => (credits > most ? credits : most), 0n);
    expect(most).toBe(3n * MAX_BIGINT);
  });
}, 30_000);

test("while pages are read for long, nothing is dropped, and metering goes on", async () => {
  await inCopy(async (copy, services) => {
    const acme = oldUsage(copy, "acme", "later");
    const reading = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const reader = readUsageSnapshot(copy.database, async (transaction) => {
      await allowWholeTables(transaction);
      reading.resolve();
      await go.promise;
    });
    await reading.promise;
    let metered = 0;
    let slowest = 0;
    let isOver = false;
    const dropping = dropUsageMonth(services, BEFORE).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const startedAt = performance.now();
      await acme.use("2025-11-11");
      slowest = Math.max(slowest, performance.now() - startedAt);
      metered += 1;
      await setTimeout(20);
    }
    const outcome = await dropping;
    go.resolve();
    await reader;
    expect(outcome).toBe("busy");
    expect(slowest).toBeLessThan(2_000);
    expect(metered).toBeGreaterThan(30);
    expect(await left(copy)).toContain("2025-08-10/1");
    const { rows } = await copy.database.query(
      "SELECT (SELECT count(*) FROM usage_past) + (SELECT count(*) FROM usage_past_stretch) AS kept",
    );
    expect(rows).toEqual([{ kept: 0n }]);
    expect(await dropAll(services)).toEqual(["2025-08: 5", "2025-09: 5", "none"]);
    expect(await brokenInvariants(copy.database)).toEqual([]);
  });
}, 60_000);

test("rolled back at its end, nothing has changed", async () => {
  await inCopy(async (copy, services) => {
    const before = await left(copy);
    await expect(
      inTransaction(services, async (transaction) => {
        await transaction.query("SELECT drop_usage_month('2026-01-01')");
        throw new Error("killed");
      }),
    ).rejects.toThrow("killed");
    expect(await left(copy)).toEqual(before);
    expect(await brokenInvariants(copy.database)).toEqual([]);
    expect(await dropAll(services)).toHaveLength(3);
  });
}, 30_000);

test("a proof that began before a month was dropped sees all of it", async () => {
  await inCopy(async (copy, services) => {
    let dropped: Promise<string[]> | null = null;
    const findings = await checkInvariants(copy.database, () => {
      dropped ??= dropAll(services);
    });
    expect(findings.filter(({ accounts }) => accounts.length > 0)).toEqual([]);
    expect(await dropped).toEqual(["2025-08: 5", "2025-09: 5", "none"]);
  });
}, 30_000);

test("a page that was merged over the end of a month goes with the month in which it began", async () => {
  await inCopy(async (copy, services) => {
    await copy.database.query(
      `UPDATE usage_page SET metered_after = '{0, 72000000}', versions_after = '{0, 7}'
       WHERE account_id = 'acme' AND metered_at = '2025-08-31T12:00:00Z'`,
    );
    await dropAll(services, Date.UTC(2025, 8, 1));
    const { rows } = await copy.database.query<{ before: bigint }>(
      "SELECT max(version) - 7 AS before FROM usage_past_stretch WHERE account_id = 'acme'",
    );
    expect(rows[0]?.before).toBeGreaterThan(0n);
    expect(await usagePastUntil(services, "acme")).toBe(Date.parse("2025-09-01T09:00:00Z"));
    expect(await usagePastUntil(services, "free")).toBe(Date.parse("2025-08-10T13:00:00Z"));
    expect(await usagePastUntil(services, "bolt")).toBe(null);
    expect(await brokenInvariants(copy.database)).toEqual([]);
  });
}, 30_000);

test("pages that were metered by clocks that differ are dropped by their own months", async () => {
  await inCopy(async (copy, services) => {
    // On the line it lies before what is dropped.
    await copy.database.query(
      "UPDATE usage_page SET metered_at = '2025-10-01' WHERE account_id = 'acme' AND metered_at < '2025-08-30'",
    );
    await dropAll(services);
    expect(await left(copy)).toContain("2025-08-10/1");
    expect(await brokenInvariants(copy.database)).toEqual([]);
    expect(await dropAll(services, Date.UTC(2025, 10, 1))).toEqual(["2025-10: 4", "none"]);
    expect(await brokenInvariants(copy.database)).toEqual([]);
  });
}, 30_000);

test("a record is not restored into a month that was dropped", async () => {
  await inCopy(async (copy, services) => {
    await dropAll(services);
    const { rows } = await copy.database.query<OriginalRecord & EventRow & { credits: bigint }>(
      `SELECT ${EVENT_FIELDS}, credits,
              0::bigint AS "givenBack", start_position AS start, version
       FROM usage_record AS record WHERE event_id = '2025-11-10/12'`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("it is not there");
    await copy.database.query("DELETE FROM usage_record WHERE event_id = '2025-11-10/12'");
    const { credits, givenBack, start, version, ...line } = row;
    const drawn = { lineCredits: [credits], givenBack, start, version };
    const original = { event: eventOfRows([line]), ...drawn, drawnAt: noon("2025-08-15") };
    const repair = {
      accountId: "acme",
      difference: "lost",
      what: "",
      by: "test",
      at: 0,
      detail: {},
    };
    expect(await restoreRecord(copy.database, null, original, repair)).toBe(true);
    expect(await dropAll(services)).toEqual(["none"]);
    expect(await left(copy)).toContain("2025-11-10/12");
    expect(await brokenInvariants(copy.database)).toEqual([]);
  });
}, 30_000);
