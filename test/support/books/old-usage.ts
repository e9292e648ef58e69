import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { takeCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import {
  type DroppedMonth,
  dropUsageMonth,
} from "../../../shared/ledger/housekeeping/drop-usage.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, openAccount, openBooks, setPrice, setRates } from "./books.ts";
import { type Usage, usageBatches } from "./usage-batches.ts";

/** Noon of a day such as `2025-09-30`, in UTC. */
export function noon(day: string): number {
  return Date.parse(`${day}T12:00:00Z`);
}

/** Usage of an account that is metered when it occurs, also long ago. */
export function oldUsage(books: Pick<Books, "database">, accountId: string, partition = accountId) {
  const batches = usageBatches(books, partition);
  const readRates = ratesReader();
  let last = 0;
  return {
    /** Meters events of 3 calls each, or what is stated, at noon of a day; they are named by it. */
    async use(day: string, ...events: readonly Partial<Usage>[]): Promise<void> {
      const now = noon(day);
      const stated = events.length === 0 ? [{}] : events;
      const usage = stated.map((event) => {
        return { eventId: `${day}/${++last}`, accountId, quantity: 3n, occurredAt: now, ...event };
      });
      await debitUsage(books.database, readRates, { ...batches.next(usage), now });
    },
    /** Draws credits that are no usage. */
    async take(day: string, credits: bigint): Promise<void> {
      const at = { accountId: toAccountId(accountId), now: noon(day), by: "test" };
      await takeCredits(books.database, at, { credits, reference: `taken ${day}` });
    },
  };
}

/** Drops the usage of all months that ended before an instant; `end` is why it went no further. */
export async function dropMonths(
  database: Database,
  before: number,
): Promise<{ readonly months: readonly DroppedMonth[]; readonly end: "none" | "busy" }> {
  const months: DroppedMonth[] = [];
  for (;;) {
    const month = await dropUsageMonth(database, before);
    if (typeof month === "string") return { months, end: month };
    months.push(month);
  }
}

/** Books with usage in August to November 2025, late usage, an expiry and an adjustment between it. */
export async function openOldBooks(): Promise<Books> {
  const books = await openBooks();
  await setPrice(books, "call", 1_000n);
  await setPrice(books, "byte", 2n, 5n);
  await setPrice(books, "byte", 1n, 5n, noon("2025-09-10"));
  await setPrice(books, "gift", 0n);
  await setRates(books, [
    rateTable(
      { meter: "chat", validFrom: 0 },
      {
        dimensions: ["model"],
        rates: [
          { patterns: ["gpt-5"], credits: 1n, per: 2n },
          { patterns: ["gpt-*"], credits: 5n, per: 3n },
          { patterns: ["gpt-*"], band: { of: null, from: 4n }, credits: 1n, per: 1n },
          { patterns: ["gpt-5"], band: { of: "context", from: 100n }, credits: 3n, per: 2n },
        ],
      },
    ),
  ]);
  for (const account of ["acme", "bolt", "free"]) {
    const ending = { credits: 4_500n, expiresAt: noon("2025-08-20") };
    const lots = [ending, { credits: 900_000n }];
    await openAccount(books, account, { at: noon("2025-07-01"), lots });
  }
  const [acme, bolt, free] = [
    oldUsage(books, "acme"),
    oldUsage(books, "bolt"),
    oldUsage(books, "free"),
  ];
  const bytes = { meter: "byte", quantity: 3n };
  // It occurred before the first lot ended, and gets back what expired.
  const late = { occurredAt: noon("2025-08-19"), quantity: 1n };
  await acme.use("2025-08-10", {}, bytes);
  await acme.use("2025-08-31", bytes, bytes);
  await acme.use("2025-09-01", late);
  await acme.take("2025-09-05", 700n);
  await acme.use("2025-09-10", bytes, {}, bytes);
  await acme.use("2025-10-10", bytes, late);
  await acme.use("2025-11-10", bytes, {});
  await bolt.use("2025-09-10");
  await free.use("2025-08-10", { meter: "gift" });
  await free.use("2025-11-10", { meter: "gift" });
  return books;
}
