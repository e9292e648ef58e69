/**
 * 20,000 real requests, on 500 models with five kinds of tokens each and bands, cost to the micro-credit what a
 * calculator says that shares no code with the product: from the text of the price file to the books, whatever the
 * batches. Some accounts have terms of their own, from two instants on, between which the requests occurred.
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
import { calculate, type Total } from "./calculator.ts";
import { whole } from "./fractions.ts";
import type { OwnTerms } from "./own-terms.ts";
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
const MINUTE = 60_000;

test("real requests cost what the calculator says", { timeout: 600_000 }, async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  const folder = await mkdtemp(join(tmpdir(), "prices-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await importPrices(books, folder);
  for (let account = 0; account < ACCOUNTS; account += 1) {
    await openAccount(books, `account-${account}`);
  }
  const begun = Date.now();
  const own = ownTerms(begun + MINUTE, begun + 2 * MINUTE);
  for (const terms of own) await setOwnTerms(books, folder, terms);
  const usage = (await realUsage(REQUESTS, ACCOUNTS)).map((used, at) => {
    return { ...used, occurredAt: begun + (Math.floor(at / 5) % 3) * MINUTE };
  });
  const events = usage.map((used, at) => {
    const { account, meter, quantity, provider, model, context, occurredAt } = used;
    const dimensions = { provider, model, context_tokens: String(context), region: "eu" };
    return { eventId: `e${at}`, accountId: account, meter, quantity, dimensions, occurredAt };
  });
  for (let at = 0; at < events.length; at += BATCH) {
    await meterEvents(books, events.slice(at, at + BATCH));
  }

  const terms = { markups: MARKUPS, perCredit: PER_CREDIT, own };
  const calculated = calculate(priceFile(), terms, usage);
  const drawn = new Map<string, bigint>();
  for (const { account, exact } of calculated) {
    drawn.set(account, (drawn.get(account) ?? 0n) + whole(exact));
  }
  expect(await drawnInBooks(books)).toEqual(drawn);
  await expectCarried(books, calculated);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

/** Discounts, one after another and beside each other; and own rates with bands beside those of the list. */
function ownTerms(first: number, second: number): OwnTerms[] {
  const discount = (account: string, meter: string | null, from: number, percent: string) => {
    return { account, meter, from, discount: percent, rates: [] };
  };
  const rates = [
    { model: "model-1*", fromQuantity: 0n, credits: "0.7", per: 1_000_000n },
    { model: "model-1*", fromQuantity: 800n, credits: "0.000001", per: 3n },
    { model: "model-17", fromQuantity: 100n, credits: "1.25", per: 1_000_000n },
    { model: "model-2*", fromQuantity: 0n, credits: "0", per: 1n },
  ];
  return [
    discount("account-10", null, first, "12.5"),
    discount("account-10", null, second, "7.25"),
    discount("account-20", null, first, "33.33"),
    { account: "account-20", meter: "input_tokens", from: second, discount: null, rates },
    { account: "account-30", meter: "output_tokens", from: first, discount: null, rates },
    discount("account-30", null, second, "100"),
    discount("account-39", "output_tokens", first, "0"),
    discount("account-39", null, first, "50"),
    discount("account-39", "output_tokens", second, "0.01"),
  ];
}

async function importPrices(books: Books, folder: string): Promise<void> {
  const file = join(folder, "prices.json");
  await writeFile(file, priceFile());
  const markups = MARKUPS.flatMap(([pattern, factor]) => ["--markup", `${pattern}=${factor}`]);
  const args = ["rates", "import", file, ...markups, "--per-credit", `USD ${PER_CREDIT}`, "--yes"];
  expect(await command(books, args)).toContain(
    "Imported: 3,001 added, 0 dearer, 0 cheaper, 0 gone.",
  );
}

async function setOwnTerms(books: Books, folder: string, terms: OwnTerms): Promise<void> {
  const { account, meter, from, discount, rates } = terms;
  const file = join(folder, "own.yaml");
  const listed = rates.map(({ model, fromQuantity, credits, per }) => {
    const band = fromQuantity === 0n ? "" : `from_quantity: ${fromQuantity}, `;
    return `  - { when: { model: ${model} }, ${band}credits: ${credits}, per: ${per} }\n`;
  });
  await writeFile(file, `dimensions: [model]\nrates:\n${listed.join("")}`);
  await command(books, [
    ...["rates", "own", "set", account, "--reason", "contract"],
    ...["--from", new Date(from).toISOString()],
    ...(meter === null ? [] : ["--meter", meter]),
    ...(discount === null ? ["--file", file] : ["--discount", discount]),
  ]);
}

async function command(books: Books, args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await drawdown([...args], { env: { DATABASE_URL: books.url } });
  expect(code, stderr).toBe(0);
  return stdout;
}

async function drawnInBooks({ database }: Books): Promise<Map<string, bigint>> {
  type Row = { readonly accountId: string; readonly position: bigint };
  const sql = 'SELECT account_id AS "accountId", position FROM account';
  const rows = await queryRows<Row>(database, sql);
  return new Map(rows.map(({ accountId, position }) => [accountId, position]));
}

/** What is left of a micro-credit is the rest of each fraction. */
async function expectCarried({ database }: Books, calculated: readonly Total[]): Promise<void> {
  type Row = Record<"account" | "meter", string> & { since: number } & Parts;
  type Parts = Record<"remainder" | "per", bigint>;
  const rows = await queryRows<Row>(
    database,
    `SELECT carried.account_id AS account, meter, (1000 * extract(epoch FROM valid_from))::float8 AS since,
            remainder, per::bigint
     FROM carried
     JOIN price_terms() AS term USING (meter, valid_from)
     WHERE term.account_id IN ('', carried.account_id)
       AND (term.account_id <> '' OR carried.account_id NOT IN (SELECT account_id FROM own_terms))`,
  );
  const keyOf = (account: string, meter: string, since: number | null) =>
    `${account} ${meter} ${since}`;
  const own = new Set(calculated.map(({ since }) => since));
  const carried = new Map<string, Parts>();
  for (const { account, meter, since, remainder, per } of rows) {
    carried.set(keyOf(account, meter, own.has(since) ? since : null), { remainder, per });
  }
  expect(carried.size).toBeGreaterThan(0);
  for (const { account, meter, since, exact } of calculated) {
    const { remainder, per } = carried.get(keyOf(account, meter, since)) ?? {
      remainder: 0n,
      per: 1n,
    };
    expect(remainder * exact.under).toBe((exact.over % exact.under) * per);
  }
}
