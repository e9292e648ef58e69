/** A version gets more rates: whoever keeps the card in memory sees them, and what was metered stays as it was. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import { applyCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import { retryResolved } from "../../../shared/ledger/dead-letters/retry-resolved.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type UsageBatches, usageBatches } from "../../support/books/usage-batches.ts";

const MAX_AHEAD_MS = 5 * 60_000;
const FIRST = "{ when: { model: large }, credits: 0.000001, per: 6 }";
const SECOND = "{ when: { model: small-* }, credits: 0.000001, per: 3 }";
const THIRD = "{ from_quantity: 9, credits: 0.000001, per: 2 }";

let books: Books;
let usage: UsageBatches;

beforeAll(async () => {
  books = await openBooks();
  usage = usageBatches(books, "usage");
  await openAccount(books, "acme", { lots: [{ credits: 1_000n }] });
  expect(await apply("anna", FIRST)).toMatchObject([{ kind: "added" }]);
});

afterAll(() => books?.close());

test("usage that waits is metered after its rate is added, with one remainder for all", async () => {
  await used("large", 5n);
  await used("small-1", 5n);
  await used("other", 9n);
  expect(await state()).toEqual({ records: 1, letters: 2, remainder: 5n });
  expect(await apply("bert", FIRST, SECOND)).toMatchObject([
    { kind: "completed", replaces: { rates: [{ patterns: ["large"] }] } },
  ]);
  expect(await apply("bert", SECOND, FIRST)).toMatchObject([{ kind: "unchanged" }]);
  expect(await retried()).toBe(2);
  expect(await retried()).toBe(0);
  // 5/6 and 10/6 are two and a half.
  await used("small-1", 5n);
  expect(await state()).toEqual({ records: 2, letters: 0, remainder: 3n });
  expect(await apply("cleo", THIRD, SECOND, FIRST)).toMatchObject([{ kind: "completed" }]);
  await used("other", 9n);
  // And nine halves: seven.
  expect(await state()).toEqual({ records: 3, letters: 0, remainder: 0n });
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("who added each rate is known", async () => {
  const [version, ...others] = await listRates(books.database);
  expect(others).toEqual([]);
  expect(version).toMatchObject({
    setBy: "anna",
    rates: [
      { stated: { patterns: ["large"] } },
      { stated: { patterns: ["small-*"], setBy: "bert" } },
      { stated: { patterns: [null], setBy: "cleo" } },
    ],
  });
});

test("other changes are a new version", async () => {
  const dearer = FIRST.replace("0.000001", "0.000002");
  const later = Date.now() + MAX_AHEAD_MS;
  const [change] = await apply("anna", dearer, SECOND, THIRD);
  expect(change?.kind).toBe("new_version");
  expect(change?.validFrom).toBeGreaterThan(later);
});

async function apply(by: string, ...rates: readonly string[]) {
  const listed = rates.map((rate) => `      - ${rate}\n`).join("");
  const text = `meters:\n  chat:\n    dimensions: [model]\n    rates:\n${listed}`;
  const parsed = parseCatalogue(Buffer.from(text));
  if (parsed.kind !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  const decision = await applyCatalogue(
    ...([books.database, parsed.asked, Date.now(), MAX_AHEAD_MS, by] as const),
  );
  if (decision.kind !== "changes") throw new Error(JSON.stringify(decision));
  return decision.changes.meters;
}

let events = 0;

async function used(model: string, quantity: bigint): Promise<void> {
  const event = { eventId: `e${++events}`, accountId: "acme", meter: "chat", quantity };
  await usage.debit([{ ...event, occurredAt: Date.now(), dimensions: { model } }]);
}

async function retried(): Promise<number> {
  let sum = 0;
  for await (const count of retryResolved(books.database, Date.now())) sum += count;
  return sum;
}

async function state() {
  const { rows } = await books.database.query(`
    SELECT (SELECT count(*)::integer FROM usage_record) AS records,
           (SELECT count(*)::integer FROM dead_letter WHERE retry_asked_at IS NULL) AS letters,
           (SELECT remainder FROM carried) AS remainder`);
  return rows[0];
}
