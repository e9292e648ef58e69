import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "cli-acme", { timeZone: "Europe/Berlin" });
  await setPrice(books, "cli-credits", 1_000_000n);
});
afterAll(() => books.close());

test("lots tile the line, and each ends two months after its grant by default", async () => {
  const first = await run("grant cli-acme 10 --json");
  expect(first.code).toBe(0);
  const lot = JSON.parse(first.stdout);
  expect(lot).toMatchObject({
    outcome: "granted",
    account_id: "cli-acme",
    source: "promotion",
    reference: "",
    credits: "10000000",
    start: "0",
    end: "10000000",
    balance: "10000000",
    crossing: null,
  });
  const days = (Date.parse(lot.expires_at) - Date.parse(lot.granted_at)) / 86_400_000;
  expect(days).toBeGreaterThan(58);
  expect(days).toBeLessThan(63);

  const second = await run("grant cli-acme 0.25 --source top_up --no-expiry --lot-id cli-quarter");
  expect(second.stdout).toBe(
    "Granted 0.25 credits to cli-acme: lot cli-quarter, [10, 10.25), ends never.\n" +
      "The balance is now 10.25 credits.\n",
  );
});

test("the same lot again grants nothing; another lot under its id is refused", async () => {
  await openAccount(books, "cli-twice");
  const line =
    "grant cli-twice 3 --lot-id cli-17 --reference invoice-17 --expires 2100-01-01T00:00:00+01:00";
  expect((await run(line)).code).toBe(0);
  expect(await run(line)).toMatchObject({
    code: 0,
    stdout: "Lot cli-17 already exists with the same terms; nothing was granted.\n",
  });
  expect(JSON.parse((await run(`${line} --json`)).stdout)).toMatchObject({
    outcome: "already_exists",
    lot_id: "cli-17",
    credits: "3000000",
    expires_at: "2099-12-31T23:00:00.000Z",
  });
  const standing =
    "lot cli-17 already exists as another grant: " +
    "3 credits, promotion, reference invoice-17, ends 2099-12-31T23:00:00.000Z\n";
  for (const other of [
    line.replace(" 3 ", " 4 "),
    `${line} --source plan`,
    "grant cli-twice 3 --lot-id cli-17",
  ]) {
    expect(await run(other)).toEqual({ code: 1, stdout: "", stderr: standing });
  }
  const { stdout } = await run("account show cli-twice --json");
  expect(JSON.parse(stdout)).toMatchObject({ balance: "3000000", entries: "1", version: "2" });
});

test("a grant and a withdrawal keep who made them", async () => {
  await openAccount(books, "cli-by");
  await run("grant cli-by 3 --lot-id cli-by-1 --by anna");
  await run("lot withdraw cli-by cli-by-1 --by ben");
  const { items } = JSON.parse((await run("entries cli-by --json")).stdout);
  expect(items).toMatchObject([{ posted_by: "ben" }, { posted_by: "anna" }]);
});

test("a lot with the usual life can be granted again without effect", async () => {
  await openAccount(books, "cli-usual");
  await run("grant cli-usual 3 --lot-id cli-usual-1");
  expect(
    JSON.parse((await run("grant cli-usual 3 --lot-id cli-usual-1 --json")).stdout),
  ).toMatchObject({ outcome: "already_exists" });
});

test("debt is repaid; a balance that stays low is published again, one that is lifted re-arms the account", async () => {
  await openAccount(books, "cli-low", { threshold: 1_000_000n });
  await meterEvents(books, [
    { eventId: "e-1", accountId: "cli-low", meter: "cli-credits", quantity: 5n },
  ]);
  expect((await run("grant cli-low 2 --lot-id cli-low-1")).stdout).toContain(
    "The balance is still below zero: a debt of 3 credits.\n" +
      "The account is still at or below its threshold: low balance published again.\n",
  );
  expect(JSON.parse((await run("grant cli-low 4 --json")).stdout)).toMatchObject({
    balance: "1000000",
    crossing: "3",
    low_balance: true,
  });
  expect(JSON.parse((await run("grant cli-low 0.000001 --json")).stdout)).toMatchObject({
    balance: "1000001",
    crossing: null,
    low_balance: false,
  });
  const { rows } = await books.database.query(
    "SELECT sequence, record::json->>'cause' AS cause FROM outbox WHERE account_id = 'cli-low' AND topic = 'billing.low-balance' ORDER BY 1",
  );
  expect(rows).toEqual([
    { sequence: 1n, cause: "event:e-1" },
    { sequence: 2n, cause: "entry:1" },
    { sequence: 3n, cause: "entry:2" },
  ]);
});

test("concurrent grants line up one behind the other", async () => {
  await openAccount(books, "cli-busy");
  const lines = ["1", "2", "3", "4"].map((credits) => run(`grant cli-busy ${credits} --json`));
  const lots = (await Promise.all(lines)).map(({ stdout }) => JSON.parse(stdout));
  lots.sort((a, b) => Number(a.start) - Number(b.start));
  const starts = lots.map(({ start }) => start);
  expect(starts).toEqual(["0", ...lots.slice(0, -1).map(({ end }) => end)]);
  expect(lots.at(-1).end).toBe("10000000");
});

describe("refuses", () => {
  test.each([
    [1, "cli-nobody 1", "there is no account cli-nobody"],
    [1, "cli-acme 0", "the credits must be more than 0"],
    [
      1,
      "cli-acme 1 --expires 2020-01-01T00:00:00Z",
      "the lot would end at 2020-01-01T00:00:00.000Z, which has passed; choose a later end",
    ],
    [
      1,
      "cli-acme 1 --lot-id top-up:manual:1",
      "lot id top-up:manual:1 is reserved: ids that begin with plan: or top-up: belong to subscriptions and top-ups; choose another",
    ],
    [2, "cli-acme 1 --lot-id ..", "--lot-id is .., which URLs resolve"],
    [2, "cli-acme -5", "-5 credits are below zero"],
    [2, "cli-acme 1,5", '"1,5" is not an amount of credits; write it like 3 or 0.25'],
    [2, "cli-acme 0.0000001", "0.0000001 has more than 6 decimals"],
    [
      2,
      "cli-acme 9223372036854.775808",
      "9223372036854.775808 credits are more than the 9223372036854.775807 possible",
    ],
    [
      2,
      "cli-acme 1 --expires 2030-01-01",
      '--expires must be an instant like 2026-09-01T00:00:00Z, not "2030-01-01"',
    ],
    [
      2,
      "cli-acme 1 --expires 2030-01-01T00:00:00Z --no-expiry",
      "option '--expires <instant>' cannot be used with option '--no-expiry'",
    ],
    [
      2,
      "cli-acme 1 --source gift",
      '--source must be one of plan, top_up, promotion, adjustment, not "gift"',
    ],
  ])("with exit code %i: %s", async (code, line, sentence) => {
    expect(await run(`grant ${line}`)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
  });

  test("more than the line can hold", async () => {
    await openAccount(books, "cli-full", { lots: [{ credits: 1_000_000n }] });
    expect(await run("grant cli-full 9223372036854.775807")).toMatchObject({
      code: 1,
      stderr:
        "that is too much for one account: at most 9223372036853.775807 credits are possible\n",
    });
  });
});
