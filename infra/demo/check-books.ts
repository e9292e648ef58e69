import type { ExpectedAccount, ExpectedBooks } from "./expected-books.ts";
import type { LowBalanceReceived } from "./follow-low-balances.ts";
import type { FoundAccount, FoundBooks, FoundRecord } from "./read-books.ts";

/**
 * Compares the books with the trace, to the micro-credit. Returns one line for each difference; none
 * means that the books equal the file.
 */
export function checkBooks(
  expected: ExpectedBooks,
  found: FoundBooks,
  lowBalances: readonly LowBalanceReceived[],
): string[] {
  return [
    ...checkTotals(expected, found),
    ...checkRecords(expected, found.records),
    ...[...expected.accounts].flatMap(([accountId, account]) => {
      const inBooks = found.accounts.get(accountId);
      if (inBooks === undefined) return [`account ${accountId} is not in the books`];
      return [...checkAccount(account, inBooks), ...checkLots(account, inBooks)].map(
        (difference) => `account ${accountId}: ${difference}`,
      );
    }),
    ...checkPages(found),
    ...checkSpend(found),
    ...checkLowBalances(expected, lowBalances),
    ...differ("dead letters of the demo's accounts", found.deadLetters, 0),
  ];
}

const NOTHING = { events: 0, quantity: 0n, credits: 0n };

/** Events, quantity and credits of each meter over all accounts, in the meters' order. */
export function totalsByMeter(
  records: Iterable<Pick<FoundRecord, "meter" | "quantity" | "credits">>,
): Map<string, typeof NOTHING> {
  const totals = new Map<string, typeof NOTHING>();
  for (const { meter, quantity, credits } of records) {
    const sum = totals.get(meter) ?? NOTHING;
    totals.set(meter, {
      events: sum.events + 1,
      quantity: sum.quantity + quantity,
      credits: sum.credits + credits,
    });
  }
  return new Map([...totals].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkTotals(expected: ExpectedBooks, { records }: FoundBooks): string[] {
  const planned = totalsByMeter(expected.records.values());
  const metered = totalsByMeter(records);
  return [...new Set([...planned.keys(), ...metered.keys()])].flatMap((meter) => {
    return differTotals(meter, metered.get(meter), planned.get(meter));
  });
}

function checkRecords(expected: ExpectedBooks, records: readonly FoundRecord[]): string[] {
  const missing = new Set(expected.records.keys());
  const differences = records.flatMap((record) => {
    const planned = expected.records.get(record.eventId);
    if (planned === undefined) return [`event ${record.eventId} was metered but never published`];
    missing.delete(record.eventId);
    return RECORD_FIELDS.flatMap((field) =>
      differ(`event ${record.eventId}, ${field}`, record[field], planned[field]),
    );
  });
  return [...differences, ...[...missing].map((eventId) => `event ${eventId} was not metered`)];
}

const RECORD_FIELDS = ["accountId", "meter", "quantity", "credits", "start"] as const;

function checkAccount(expected: ExpectedAccount, found: FoundAccount): string[] {
  return [
    ...differ("granted", found.granted, expected.granted),
    ...differ("position", found.position, expected.drawn),
    ...differ("low balances published", found.crossings, expected.lowBalance === null ? 0n : 1n),
  ];
}

/** The lots tile the line, each has what drawing down oldest first leaves, and they sum to the balance. */
function checkLots(expected: ExpectedAccount, { lots, granted, position }: FoundAccount): string[] {
  const differences = differ("lots", lots.length, expected.remainders.length);
  let end = 0n;
  let sum = 0n;
  for (const [index, lot] of lots.entries()) {
    differences.push(...differ(`start of lot ${index + 1}`, lot.start, end));
    const from = lot.start > position ? lot.start : position;
    const left = lot.end > from ? lot.end - from : 0n;
    const want = expected.remainders[index] ?? 0n;
    differences.push(...differ(`left of lot ${index + 1}`, left, want));
    end = lot.end;
    sum += left;
  }
  const balance = granted - position;
  return [
    ...differences,
    ...differ("end of the last lot", end, granted),
    ...differ("left of all lots", sum, balance > 0n ? balance : 0n),
  ];
}

/** The usage of each page ends where the page does. */
function checkPages({ pages }: FoundBooks): string[] {
  return pages.flatMap(({ accountId, start, end, usageEnd }) =>
    usageEnd === end
      ? []
      : [`page of ${accountId} at ${start}: its usage ends at ${usageEnd}, the page at ${end}`],
  );
}

/** Spend is the sum of the usage records. */
function checkSpend({ records, spend }: FoundBooks): string[] {
  const rolledUp = new Map(spend.map((row) => [`${row.accountId}, ${row.meter}`, row]));
  const byAccount = Map.groupBy(records, ({ accountId, meter }) => `${accountId}, ${meter}`);
  return [...new Set([...byAccount.keys(), ...rolledUp.keys()])].flatMap((key) => {
    const [sum] = totalsByMeter(byAccount.get(key) ?? []).values();
    return differTotals(`spend of ${key}`, rolledUp.get(key), sum);
  });
}

function checkLowBalances(
  expected: ExpectedBooks,
  received: readonly LowBalanceReceived[],
): string[] {
  const byAccount = Map.groupBy(received, ({ accountId }) => accountId);
  return [...expected.accounts].flatMap(([accountId, { lowBalance }]) => {
    const [first, ...more] = byAccount.get(accountId) ?? [];
    const about = `low balance of ${accountId}`;
    if (lowBalance === null) {
      return first === undefined ? [] : [`${about}: published, though it never ran low`];
    }
    if (first === undefined) return [`${about}: never published`];
    return [
      ...differ(`${about}, published again`, more.length, 0),
      ...differ(`${about}, crossing`, first.crossing, 1n),
      ...(["balance", "threshold", "cause"] as const).flatMap((field) =>
        differ(`${about}, ${field}`, first[field], lowBalance[field]),
      ),
    ];
  });
}

function differTotals(what: string, found = NOTHING, expected = NOTHING): string[] {
  return [
    ...differ(`${what}, events`, found.events, expected.events),
    ...differ(`${what}, quantity`, found.quantity, expected.quantity),
    ...differ(`${what}, micro-credits`, found.credits, expected.credits),
  ];
}

function differ<T extends bigint | number | string>(what: string, found: T, expected: T): string[] {
  return found === expected ? [] : [`${what}: ${found}, should be ${expected}`];
}
