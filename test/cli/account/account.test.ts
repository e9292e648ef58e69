import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Books,
  openAccount,
  openAccountWithCard,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable, outboxOf } from "../../support/cli/every-table.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

describe("account create", () => {
  test("creates an account in UTC that pays in USD, with threshold 0", async () => {
    const { code, stdout } = await run("account create cli-plain --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: "created",
      account_id: "cli-plain",
      time_zone: "UTC",
      currency: "USD",
      threshold: "0",
    });
  });

  test("takes zone, currency and threshold; the same settings again change nothing, others are refused", async () => {
    const line =
      "account create cli-berlin --time-zone Europe/Berlin --currency EUR --threshold 2.5";
    expect(await run(line)).toMatchObject({
      code: 0,
      stdout:
        "Account cli-berlin created: time zone Europe/Berlin, currency EUR, threshold 2.5 credits.\n",
    });
    expect(await run(line)).toMatchObject({
      code: 0,
      stdout: "Account cli-berlin already exists with these settings; nothing was changed.\n",
    });
    expect(JSON.parse((await run(`${line} --json`)).stdout)).toMatchObject({
      outcome: "already_exists",
    });
    expect(await run("account create cli-berlin")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "account cli-berlin already exists with other settings: " +
        "time zone Europe/Berlin, currency EUR, threshold 2.5 credits\n",
    });
  });

  test.each([
    ["--time-zone Mars/Olympus", '"Mars/Olympus" is not a time zone; write it like Europe/Berlin'],
    ["--time-zone +02:00", '"+02:00" is not a time zone; write it like Europe/Berlin'],
    [
      "--time-zone 2020-01-01T00:00Z",
      '"2020-01-01T00:00Z" is not a time zone; write it like Europe/Berlin',
    ],
    ["--currency EURO", '"EURO" is not a currency of ISO 4217; write it like EUR'],
    ["--threshold 0.0000001", "0.0000001 has more than 6 decimals"],
  ])("refuses %s", async (options, sentence) => {
    expect(await run(`account create cli-refused ${options}`)).toEqual({
      code: 2,
      stdout: "",
      stderr: `${sentence}\n`,
    });
  });

  test("refuses an id that is empty or that URLs resolve", async () => {
    const env = { DATABASE_URL: books.url };
    expect(await drawdown(["account", "create", ""], { env })).toMatchObject({
      code: 2,
      stderr: "account id is empty\n",
    });
    expect(await drawdown(["account", "create", ".."], { env })).toMatchObject({
      code: 2,
      stderr: "account id is .., which URLs resolve\n",
    });
  });
});

test("account changes lists who set what and when, newest first, page by page", async () => {
  await run("account create cli-changed --by anna");
  await run("account set cli-changed --threshold 5 --by ben");
  await run("top-up set cli-changed --amount 25 --keep-after-subscription on --by customer-care");
  await run("top-up ceilings cli-changed --limit-per-month 900 --by seller");
  await run("top-up set cli-changed --auto off --by ben");
  const { stdout } = await run("account changes cli-changed");
  const rows = stdout.split("\n").map((line) => line.split(/ {2,}/).slice(1).join("; "));
  expect(rows).toEqual([
    "WHO; TIME ZONE; THRESHOLD; AUTO TOP-UP; EACH / DAY / MONTH; CEILINGS",
    "ben; UTC; 5; off; USD 25.00 / default / default; default / default / USD 900.00",
    "seller; UTC; 5; on, also without a subscription; USD 25.00 / default / default; default / default / USD 900.00",
    "customer-care; UTC; 5; on, also without a subscription; USD 25.00 / default / default; default / default / default",
    "ben; UTC; 5; on; default / default / default; default / default / default",
    "anna; UTC; 0; on; default / default / default; default / default / default",
    "",
  ]);
  const first = JSON.parse((await run("account changes cli-changed --limit 4 --json")).stdout);
  expect(first.items.map(({ by }: { by: string }) => by)).toHaveLength(4);
  const cursor = `--cursor ${first.next_cursor}`;
  const rest = JSON.parse((await run(`account changes cli-changed ${cursor} --json`)).stdout);
  expect(rest.items).toMatchObject([{ sequence: 1, by: "anna", threshold: "0" }]);
  expect(await run("account changes cli-nobody")).toMatchObject({
    ...{ code: 1, stderr: "there is no account cli-nobody\n" },
  });
});

describe("account set", () => {
  test("moves an account to another time zone, and records who did", async () => {
    await offer(books, { "cli-plan": { credits: 1_000_000n } });
    await openAccountWithCard(books, "cli-moves");
    await run("subscription start cli-moves cli-plan --renewal day-of-month");
    const before = JSON.parse((await run("subscription show cli-moves --json")).stdout);
    const { code, stdout } = await run(
      "account set cli-moves --time-zone America/Bogota --by anna --json",
    );
    expect(code).toBe(0);
    const moved = JSON.parse(stdout);
    expect(moved).toMatchObject({
      outcome: "changed",
      account_id: "cli-moves",
      time_zone: "America/Bogota",
      changes: [
        {
          by: "anna",
          kind: "time_zone_changed",
          detail: { time_zone: "America/Bogota", before: "UTC" },
        },
      ],
      entries: [],
    });
    const fiveHours = 5 * 3_600_000;
    expect(Date.parse(moved.subscription.next_period_at)).toBe(
      Date.parse(before.subscription.next_period_at) + fiveHours,
    );
    expect(JSON.parse((await run("account show cli-moves --json")).stdout)).toMatchObject({
      time_zone: "America/Bogota",
      next_due_at: moved.subscription.next_period_at,
    });
  });

  test("also an account that never subscribed", async () => {
    await openAccount(books, "cli-alone");
    expect((await run("account set cli-alone --time-zone Asia/Tokyo")).stdout).toBe(
      "cli-alone: time zone Asia/Tokyo instead of UTC.\n",
    );
    expect((await run("subscription history cli-alone")).stdout).toMatch(
      / time zone Asia\/Tokyo instead of UTC\n$/,
    );
  });

  test("a threshold raised to the balance publishes a low balance; one lowered below it re-arms the account", async () => {
    await openAccount(books, "cli-tight", { lots: [{ credits: 5_000_000n }] });
    expect(await run("account set cli-tight --threshold 5 --by anna")).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "cli-tight: threshold 5 credits instead of 0.\n" +
        "The balance is now 5 credits.\n" +
        "The account is at or below its threshold: a low-balance event was published.\n",
    });
    expect(await outboxOf(books, "cli-tight", "billing.low-balance")).toEqual([
      expect.objectContaining({ crossing: "1", threshold: "5000000", cause: "threshold" }),
    ]);
    expect(JSON.parse((await run("account show cli-tight --json")).stdout)).toMatchObject({
      threshold: "5000000",
      low_balance: true,
    });
    const lowered = await run("account set cli-tight --threshold 4.5 --by ben --json");
    expect(JSON.parse(lowered.stdout)).toMatchObject({
      threshold: "4500000",
      low_balance: false,
      crossing: null,
      changes: [
        {
          by: "ben",
          kind: "threshold_changed",
          detail: { threshold: "4500000", before: "5000000" },
        },
      ],
    });
  });

  test("changes both, or neither", async () => {
    await openAccount(books, "cli-both", { lots: [{ credits: 5_000_000n }] });
    const both = "account set cli-both --time-zone Asia/Tokyo --threshold 9";
    expect((await run(both)).stdout).toBe(
      "cli-both: threshold 9 credits instead of 0.\n" +
        "cli-both: time zone Asia/Tokyo instead of UTC.\n" +
        "The balance is now 5 credits.\n" +
        "The account is at or below its threshold: a low-balance event was published.\n",
    );
    expect(JSON.parse((await run("account show cli-both --json")).stdout)).toMatchObject({
      time_zone: "Asia/Tokyo",
      threshold: "9000000",
      crossings: "1",
    });
    const before = await everyTable(books);
    for (const [line, sentence] of [
      ["--time-zone UTC --threshold 9", "the threshold is already 9 credits"],
      ["--time-zone Asia/Tokyo --threshold 1", "the time zone is already Asia/Tokyo"],
    ]) {
      expect(await run(`account set cli-both ${line}`)).toEqual({
        code: 1,
        stdout: "",
        stderr: `${sentence}\n`,
      });
    }
    expect(await everyTable(books)).toEqual(before);
  });

  test("sets the overdraft, which accounts and their history show", async () => {
    await openAccount(books, "cli-overdraft");
    for (const [given, says] of [
      ["none", "overdraft 0 instead of default"],
      ["2.5", "overdraft 2.5 instead of 0"],
      ["unlimited", "overdraft unlimited instead of 2.5"],
    ]) {
      const set = await run(`account set cli-overdraft --overdraft ${given}`);
      expect(set.stdout).toBe(`cli-overdraft: ${says}.\n`);
    }
    expect((await run("account show cli-overdraft")).stdout).toMatch(/^overdraft +unlimited$/m);
    expect((await run("account changes cli-overdraft")).stdout).toMatch(
      /OVERDRAFT[\s\S]* unlimited [\s\S]* 2.5 credits [\s\S]* none /,
    );
    expect((await run("account set cli-overdraft --overdraft unlimited")).stderr).toBe(
      "the overdraft is already unlimited\n",
    );
    await run("account set cli-overdraft --overdraft default");
    expect(JSON.parse((await run("account show cli-overdraft --json")).stdout)).toMatchObject({
      overdraft: null,
    });
  });

  test("changes nothing when it is refused", async () => {
    await openAccount(books, "cli-stays");
    const before = await everyTable(books);
    for (const [code, line, sentence] of [
      [1, "cli-nobody --time-zone UTC", "there is no account cli-nobody"],
      [1, "cli-stays --time-zone UTC", "the time zone is already UTC"],
      [1, "cli-stays --threshold 0", "the threshold is already 0 credits"],
      [2, "cli-stays", "name what to set: --time-zone, --threshold or --overdraft"],
      [2, "cli-stays --threshold -1", "-1 credits are below zero"],
      [
        2,
        "cli-stays --time-zone Mars/Olympus",
        '"Mars/Olympus" is not a time zone; write it like Europe/Berlin',
      ],
    ]) {
      expect(await run(`account set ${line}`)).toEqual({
        code,
        stdout: "",
        stderr: `${sentence}\n`,
      });
    }
    expect(await everyTable(books)).toEqual(before);
  });
});

describe("account show", () => {
  test("shows the balance and the settings", async () => {
    await openAccount(books, "cli-shown", {
      lots: [{ credits: 5_000_000n, expiresAt: Date.UTC(2100, 0, 1) }, { credits: 1_000_000n }],
      threshold: 500_000n,
      timeZone: "Asia/Kolkata",
    });
    const { code, stdout } = await run("account show cli-shown --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      account_id: "cli-shown",
      time_zone: "Asia/Kolkata",
      currency: "USD",
      threshold: "500000",
      balance: "6000000",
      granted: "6000000",
      position: "0",
      low_balance: false,
      crossings: "0",
      entries: "2",
      live_lots: 2,
      next_due_at: "2100-01-01T00:00:00.000Z",
      version: "3",
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test("names what has ended beside the balance, before its expiry is posted", async () => {
    const at = Date.now() - 600_000;
    const lots = [{ credits: 5_000_000n, expiresAt: at + 500_000 }, { credits: 1_000_000n }];
    await openAccount(books, "cli-ended", { lots, at });
    const { stdout } = await run("account show cli-ended");
    expect(stdout).toMatch(
      /balance +1 credits \(without 5 that have ended; the expiry follows\)\n/,
    );
    expect(stdout).toMatch(/live lots +1\n/);
    expect((await run("lots cli-ended")).stdout).toContain("balance 1 credits (without 5 that");
    expect((await run("entries cli-ended")).stdout).toContain("the balance is 1 credits (without");
  });

  test("shows debt in words", async () => {
    await openAccount(books, "cli-indebted", { lots: [{ credits: 1_000_000n }] });
    await setPrice(books, "cli-tokens", 1_000_000n);
    await meterEvents(books, [
      { eventId: "e-1", accountId: "cli-indebted", meter: "cli-tokens", quantity: 3n },
    ]);
    const { stdout } = await run("account show cli-indebted");
    expect(stdout).toMatch(/balance +-2 credits, a debt of 2 credits that the next lot repays\n/);
    expect(stdout).toMatch(/low balance +published; re-armed by the next grant\n/);
    expect(stdout).toMatch(/crossings +1\n/);
    expect(stdout).toMatch(/live lots +0\n/);
  });

  test("an account that does not exist", async () => {
    expect(await run("account show cli-nobody")).toEqual({
      code: 1,
      stdout: "",
      stderr: "there is no account cli-nobody\n",
    });
    expect((await run("account show cli-nobody --json")).stderr).toBe(
      '{"error":"there is no account cli-nobody","code":"unknown_account"}\n',
    );
  });
});
