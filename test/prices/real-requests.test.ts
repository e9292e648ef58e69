/**
 * 20,000 real requests, on 500 models with five kinds of tokens each and bands, cost to the micro-credit what a calculator says
 * that shares no code with the product: from the text of the price file to the books, whatever the batches.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { queryRows } from "../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { calculate, whole } from "./calculator.ts";
import { priceFile, realUsage } from "./requests.ts";

const REQUESTS = 20_000;
const ACCOUNTS = 40;
/** No multiple of a request's five events, so that batches cut requests in two. */
const BATCH = 7_777;
const MARKUPS = [
  ["*", "1.3"],
  ["provider-2/*", "1.17"],
  ["*/model-1*7", "2"],
] as const;
const PER_CREDIT = "0.0103";

test("real requests cost what the calculator says", { timeout: 600_000 }, async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  await importPrices(books);
  const usage = await realUsage(REQUESTS, ACCOUNTS);
  for (let account = 0; account < ACCOUNTS; account += 1) {
    await openAccount(books, `account-${account}`);
  }
  const occurredAt = Date.now();
  const events = usage.map(({ account, meter, quantity, provider, model, context }, at) => {
    const dimensions = { provider, model, context_tokens: String(context), region: "eu" };
    return { eventId: `e${at}`, accountId: account, meter, quantity, dimensions, occurredAt };
  });
  for (let at = 0; at < events.length; at += BATCH) {
    await meterEvents(books, events.slice(at, at + BATCH));
  }

  const terms = { markups: MARKUPS, perCredit: PER_CREDIT };
  const calculated = calculate(priceFile(), terms, usage);
  const expected = [...calculated].map(([accountId, byMeter]) => {
    const drawn = [...byMeter.values()].reduce((sum, exact) => sum + whole(exact), 0n);
    return [accountId, drawn] as const;
  });
  expect(await drawnInBooks(books)).toEqual(new Map(expected));
  // What is left of a micro-credit is the fraction's rest.
  for (const { accountId, meter, remainder, per } of await carriedInBooks(books)) {
    const exact = calculated.get(accountId)?.get(meter) ?? { over: 0n, under: 1n };
    expect(remainder * exact.under).toBe((exact.over % exact.under) * per);
  }
  expect(await brokenInvariants(books.database)).toEqual([]);
});

async function importPrices(books: Books): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "prices-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "prices.json");
  await writeFile(file, priceFile());
  const markups = MARKUPS.flatMap(([pattern, factor]) => ["--markup", `${pattern}=${factor}`]);
  const args = ["rates", "import", file, ...markups, "--per-credit", `USD ${PER_CREDIT}`, "--yes"];
  const { code, stderr, stdout } = await drawdown(args, { env: { DATABASE_URL: books.url } });
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("Imported: 3,001 added, 0 dearer, 0 cheaper, 0 gone.");
}

async function drawnInBooks({ database }: Books): Promise<Map<string, bigint>> {
  type Row = { readonly accountId: string; readonly position: bigint };
  const sql = 'SELECT account_id AS "accountId", position FROM account';
  const rows = await queryRows<Row>(database, sql);
  return new Map(rows.map(({ accountId, position }) => [accountId, position]));
}

async function carriedInBooks({ database }: Books) {
  type Row = { accountId: string; meter: string; remainder: bigint; per: bigint };
  const rows = await queryRows<Row>(
    database,
    `SELECT account_id AS "accountId", meter, remainder, per
     FROM carried JOIN rate USING (meter, valid_from)`,
  );
  expect(rows.length).toBeGreaterThan(0);
  return rows;
}
