import { afterAll, beforeAll, expect, test } from "vitest";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import {
  type Books,
  openAccount,
  openBooks,
  setPrice,
  setRates,
} from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";

const PRICES = {
  dimensions: ["model"],
  rates: [{ patterns: ["large"], credits: 2_500_000n, per: 1_000_000n }],
};

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, [rateTable({ meter: "input", validFrom: 0 }, PRICES)]);
  await setPrice(books, "third", 1n, 3n);
  await setPrice(books, "call", 500_000n);
  await openAccount(books, "acme", { lots: [{ credits: 1_000_000n }] });
});
afterAll(() => books.close());

test("usage is estimated line by line, with the rates that price it", async () => {
  const ran = await run("estimate input=4808 call=2 --dimension model=large kind=chat");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).toBe(
    [
      "METER  QUANTITY  CREDITS  RATE",
      "input      4808  0.01202  2.5 credits for 1000000 units, for model=large, from 1970-01-01T00:00:00.000Z on",
      "call          2        1  0.5 credits a unit, from 1970-01-01T00:00:00.000Z on",
      "total            1.01202",
      "",
    ].join("\n"),
  );
});

test("without an account it says what a remainder may add; with one it is exact, and covered or not", async () => {
  expect((await run("estimate third=4")).stdout).toContain("0.000001 to 0.000002");
  const ran = await run("estimate third=4 --account acme");
  expect(ran.stdout).toMatch(/ 0\.000001 {2}/);
  expect(ran.stdout).toContain("\nacme has 1 credits available: enough.\n");
  const dear = await run("estimate call=3 --account acme");
  expect(dear).toMatchObject({ code: 0 });
  expect(dear.stdout).toContain("\nacme has 1 credits available: not enough.\n");
});

test("--json shows what the API answers", async () => {
  const { stdout } = await run("estimate call=3 --account acme --at 2027-01-01T00:00:00Z --json");
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ account_id: "acme", least: "1500000", most: "1500000", unpriced: 0 },
    ...{ balance: "1000000", covered: false },
    lines: [{ meter: "call", quantity: "3", occurred_at: "2027-01-01T00:00:00.000Z" }],
  });
});

test("what has no price is said, with the nearest rates, beside what has one", async () => {
  const ran = await run("estimate input=1 call=1 --dimension model=tiny");
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(/\ninput +1 +no price\n/);
  expect(ran.stdout).toMatch(/\ntotal +0\.5\n/);
  expect(ran.stderr).toBe(
    "1 of 2 lines has no price: meter input has no rate for model=tiny; the nearest are for model=large\n",
  );
});

test.each([
  ["estimate", 2, "missing required argument 'meter=quantity'"],
  ["estimate call", 2, 'usage is written like calls=40, not "call"'],
  ["estimate call=-1", 2, 'the quantity of call must be a whole number of at least 0, not "-1"'],
  ["estimate call=1 --dimension model=a model=b", 2, "--dimension has two values for model"],
  ["estimate call=1 --dimension large", 2, '--dimension is written like model=gpt-5, not "large"'],
  ["estimate call=1 --at tomorrow", 2, "--at must be an instant"],
  ["estimate call=1 --account nobody", 1, "there is no account nobody"],
])("%s is refused", async (line, code, says) => {
  const ran = await run(line);
  expect([ran.code, ran.stdout]).toEqual([code, ""]);
  expect(ran.stderr).toContain(says);
});
