import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Books,
  openAccount,
  openAccountWithCard,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { askedHold, changeHold } from "../../support/books/holds.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openPayer, sellCredits } from "../../support/books/payers.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";
import { topUp, wentBack } from "../../support/cli/pay.ts";

const MINUTE = 60_000;

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

/**
 * cli-acme has lots of 2 and 4 credits and uses 1, 2 (across both), nothing, 2 and 3 (1 of it of the
 * second lot, 2 debt).
 */
beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "cli-calls", 1_000_000n);
  await setPrice(books, "cli-minutes", 1_000_000n, 60n);
  await setPrice(books, "cli-free", 0n);
  await openAccount(books, "cli-acme", {
    lots: [{ credits: 2_000_000n }, { credits: 4_000_000n }],
  });
  const accountId = "cli-acme";
  await meterEvents(books, [
    { eventId: "e-1", accountId, meter: "cli-calls", quantity: 1n },
    {
      eventId: "e-2",
      accountId,
      meter: "cli-minutes",
      quantity: 120n,
      dimensions: { region: "eu" },
    },
    { eventId: "e-free", accountId, meter: "cli-free", quantity: 9n },
    { eventId: "e-3", accountId, meter: "cli-calls", quantity: 2n },
    { eventId: "e-4", accountId, meter: "cli-calls", quantity: 3n },
  ]);
});
afterAll(() => books.close());

describe("explain event", () => {
  test("an event across two lots was paid by both", async () => {
    const stated = {
      ...{ when: {}, from: {}, from_quantity: null },
      ...{ credits: "1000000", per: "60" },
    };
    const rate = {
      ...{ valid_from: "1970-01-01T00:00:00.000Z", ...stated },
      ...{ priced_by: "list", list: stated, own: null },
    };
    expect(await json("explain event e-2 --account cli-acme")).toEqual({
      event_id: "e-2",
      meter: "cli-minutes",
      quantity: "120",
      credits: "2000000",
      occurred_at: expect.stringMatching(/Z$/),
      metered_at: expect.stringMatching(/Z$/),
      source: "test",
      dimensions: { region: "eu" },
      ...{ hold_id: null, hold_used: null },
      partition: 0,
      offset: "1",
      start: "1000000",
      end: "3000000",
      lots: [
        { lot_id: "cli-acme-lot-1", source: "top_up", credits: "1000000", granted_by: null },
        { lot_id: "cli-acme-lot-2", source: "top_up", credits: "1000000", granted_by: null },
      ],
      owed: "0",
      lines: [
        {
          ...{ meter: "cli-minutes", quantity: "120", credits: "2000000" },
          rate,
        },
      ],
      rate,
    });
    expect((await run("explain event e-2 --account cli-acme")).stdout).toMatch(
      /used +120 of cli-minutes\n[\s\S]*dimensions +region=eu\n[\s\S]*cli-acme-lot-1 +top_up +1\ncli-acme-lot-2 +top_up +1\n$/,
    );
  });

  test("accounts, meters and dimensions have any name, those of what every object inherits too", async () => {
    const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
    for (const meter of names) await setPrice(books, meter, 1n);
    for (const accountId of names) await openAccount(books, accountId);
    const [meter = "", ...further] = names;
    const dimensions = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
    const quantities = Object.fromEntries(further.map((name) => [name, 2n]));
    const event = { eventId: "odd", meter, quantity: 2n, dimensions, quantities };
    await meterEvents(
      books,
      names.map((accountId) => ({ ...event, accountId })),
    );
    for (const account of names) {
      const explained = await json(`explain event odd --account ${account}`);
      expect(Object.entries(explained.dimensions).sort()).toEqual(Object.entries(dimensions));
      expect(explained.lines.map((line: { meter: string }) => line.meter)).toEqual(names);
    }
  });

  test("an event of several meters is explained line by line, with its total", async () => {
    await openAccount(books, "cli-lines", { lots: [{ credits: 9_000_000n }] });
    const event = { eventId: "whole", accountId: "cli-lines", meter: "cli-calls", quantity: 2n };
    await meterEvents(books, [{ ...event, quantities: { "cli-minutes": 30n, "cli-free": 7n } }]);
    const explained = await json("explain event whole --account cli-lines");
    expect(explained).toMatchObject({
      ...{ meter: "cli-calls", quantity: "2", credits: "2500000", start: "0", end: "2500000" },
      lines: [
        { meter: "cli-calls", quantity: "2", credits: "2000000", rate: { per: "1" } },
        { meter: "cli-free", quantity: "7", credits: "0", rate: { credits: "0" } },
        { meter: "cli-minutes", quantity: "30", credits: "500000", rate: { per: "60" } },
      ],
      lots: [{ lot_id: "cli-lines-lot-1", credits: "2500000" }],
    });
    expect((await run("explain event whole --account cli-lines")).stdout).toMatch(
      /used +2 of cli-calls, 7 of cli-free, 30 of cli-minutes\ncost +2.5 credits\n[\s\S]*cli-minutes +30 +0.5 +1 credits for 60/,
    );
    expect(await json("explain lot cli-lines cli-lines-lot-1")).toMatchObject({
      by_meter: [
        { meter: "cli-calls", events: 1, credits: "2000000" },
        { meter: "cli-minutes", events: 1, credits: "500000" },
      ],
      usage: [
        { event_id: "whole", meter: "cli-calls", paid: "2000000" },
        { event_id: "whole", meter: "cli-minutes", paid: "500000" },
      ],
    });
  });

  test("an event says which hold it names, and whether that took it", async () => {
    await openAccount(books, "cli-holds", { lots: [{ credits: 9_000_000n }] });
    await changeHold(books, askedHold("cli-holds", "run-1", 5_000_000n));
    const event = { accountId: "cli-holds", meter: "cli-calls", quantity: 2n };
    await meterEvents(books, [
      { ...event, eventId: "held", holdId: "run-1" },
      { ...event, eventId: "unheld", holdId: "run-2" },
    ]);
    const explain = (id: string) => `explain event ${id} --account cli-holds`;
    expect(await json(explain("held"))).toMatchObject({ hold_id: "run-1", hold_used: true });
    expect(await json(explain("unheld"))).toMatchObject({ hold_id: "run-2", hold_used: false });
    expect((await run(explain("held"))).stdout).toMatch(/^hold +run-1, which took it$/m);
    expect((await run(explain("unheld"))).stdout).toMatch(
      /^hold +run-2, which had ended or was not the account's, and took nothing$/m,
    );
  });

  test("a late event of several meters was paid by the expired lot line by line", async () => {
    const at = Date.now() - 60 * MINUTE;
    const lots = [{ credits: 3_000_000n, expiresAt: at + 30 * MINUTE }, { credits: 5_000_000n }];
    await openAccount(books, "cli-late-lines", { lots, at });
    const event = { accountId: "cli-late-lines", meter: "cli-calls", quantity: 2n };
    await meterEvents(books, [{ ...event, eventId: "after", occurredAt: at + 40 * MINUTE }]);
    const late = { ...event, eventId: "late", occurredAt: at + 20 * MINUTE };
    await meterEvents(books, [{ ...late, quantities: { "cli-minutes": 90n } }]);
    expect(await json("explain event late --account cli-late-lines")).toMatchObject({
      lots: [
        { lot_id: "cli-late-lines-lot-1", credits: "3000000" },
        { lot_id: "cli-late-lines-lot-2", credits: "500000" },
      ],
      ...{ credits: "3500000", owed: "0" },
    });
    expect(await json("explain lot cli-late-lines cli-late-lines-lot-1")).toMatchObject({
      by_meter: [
        { meter: "cli-calls", events: 1, credits: "2000000" },
        { meter: "cli-minutes", events: 1, credits: "1000000" },
      ],
      usage: [
        { event_id: "late", meter: "cli-calls", paid: "2000000" },
        { event_id: "late", meter: "cli-minutes", paid: "1000000" },
      ],
    });
    expect(await brokenInvariants(books.database, "cli-late-lines")).toEqual([]);
  });

  test("late usage was paid by the lot that had expired, and both ways show it", async () => {
    const at = Date.now() - 60 * MINUTE;
    const lots = [{ credits: 3_000_000n, expiresAt: at + 30 * MINUTE }, { credits: 5_000_000n }];
    await openAccount(books, "cli-late", { lots, at });
    const event = { accountId: "cli-late", meter: "cli-calls", source: "test" } as const;
    await meterEvents(books, [
      { ...event, eventId: "early", quantity: 1n, occurredAt: at + 10 * MINUTE },
      { ...event, eventId: "after", quantity: 1n, occurredAt: at + 40 * MINUTE },
    ]);
    await meterEvents(books, [
      { ...event, eventId: "late", quantity: 3n, occurredAt: at + 20 * MINUTE },
    ]);

    expect(await json("explain event late --account cli-late")).toMatchObject({
      lots: [
        { lot_id: "cli-late-lot-1", credits: "2000000" },
        { lot_id: "cli-late-lot-2", credits: "1000000" },
      ],
      ...{ credits: "3000000", owed: "0" },
    });
    expect(await json("explain lot cli-late cli-late-lot-1")).toMatchObject({
      ...{ used: "3000000", expired: "0", remaining: "0" },
      by_meter: [{ meter: "cli-calls", events: 2, credits: "3000000" }],
      usage: [
        { event_id: "early", paid: "1000000" },
        { event_id: "late", paid: "2000000" },
      ],
    });
    expect(await json("explain lot cli-late cli-late-lot-2")).toMatchObject({
      usage: [
        { event_id: "after", paid: "1000000" },
        { event_id: "late", paid: "1000000" },
      ],
    });
    expect((await json("entries cli-late")).items[0]).toMatchObject({
      ...{ kind: "reversal", credits: "2000000", balance: "4000000", used_before: "3000000" },
      ...{ lot_id: "cli-late-lot-1", reference: "late:late of test" },
    });
    expect((await json("account show cli-late")).balance).toBe("3000000");
    expect(await brokenInvariants(books.database)).toEqual([]);
  });

  test("usage beyond the last lot is debt until a lot repays it", async () => {
    const { stdout } = await run("explain event e-4 --account cli-acme");
    expect(stdout).toContain("2 credits of it are debt that no lot has repaid yet.");
    expect(await json("explain event e-4 --account cli-acme")).toMatchObject({
      lots: [{ lot_id: "cli-acme-lot-2", credits: "1000000" }],
      owed: "2000000",
    });
    await openAccount(books, "cli-repaid");
    await meterEvents(books, [
      { eventId: "e-1", accountId: "cli-repaid", meter: "cli-calls", quantity: 3n },
    ]);
    expect(await json("explain event e-1 --account cli-repaid")).toMatchObject({
      lots: [],
      owed: "3000000",
    });
    await run("grant cli-repaid 2 --lot-id cli-late");
    expect(await json("explain event e-1 --account cli-repaid")).toMatchObject({
      lots: [{ lot_id: "cli-late", source: "promotion", credits: "2000000" }],
      owed: "1000000",
    });
  });

  test("no lot paid for an event that cost nothing", async () => {
    const { stdout } = await run("explain event e-free --account cli-acme");
    expect(stdout).toContain("It cost nothing, so no lot paid.");
    expect(await json("explain event e-free --account cli-acme")).toMatchObject({ lots: [] });
  });

  test("an event that was not metered", async () => {
    expect(await run("explain event e-9 --account cli-acme")).toEqual({
      code: 1,
      stdout: "",
      stderr: "no event e-9 has been metered (drawdown dead-letters list)\n",
    });
  });

  test("an event of an account that does not exist", async () => {
    expect(await run("explain event e-9 --account nobody")).toEqual({
      code: 1,
      stdout: "",
      stderr: "there is no account nobody\n",
    });
  });
});

describe("events of several sources with the same id", () => {
  const longest = "\u4e16".repeat(1_023);
  const sources = ["billing", "chat", `${longest}a`, `${longest}b`];
  const eventId = "\u4e16".repeat(256);

  beforeAll(async () => {
    await openAccount(books, "cli-twins", { lots: [{ credits: 100_000_000n }] });
    const accountId = "cli-twins";
    const events = sources.map((source, at) => ({
      ...{ source, eventId, accountId, meter: "cli-calls", quantity: BigInt(at + 1) },
    }));
    await meterEvents(books, events.slice(0, 1));
    await meterEvents(books, events.slice(1));
  });

  test("are each explained by their source, which has to be stated", async () => {
    const refused = await drawdown(["explain", "event", eventId, "--account", "cli-twins"], {
      env: { DATABASE_URL: books.url },
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^events of several sources have the id .*; state the source, one of "billing", "chat", .*--source/,
    );
    const explained = await drawdown(
      ["explain", "event", eventId, "--account", "cli-twins", "--source", "chat", "--json"],
      { env: { DATABASE_URL: books.url } },
    );
    expect(JSON.parse(explained.stdout)).toMatchObject({ quantity: "2", source: "chat" });
  });

  test("are each listed once", async () => {
    const { usage } = await json("explain lot cli-twins cli-twins-lot-1");
    expect(usage.map(({ source, start }: Record<string, string>) => [source, start])).toEqual([
      ["billing", "0"],
      ["chat", "1000000"],
      [sources[2], "3000000"],
      [sources[3], "6000000"],
    ]);
    expect(await brokenInvariants(books.database)).toEqual([]);
  });
});

describe("explain lot", () => {
  test("shows what the lot paid for: by meter, and event by event", async () => {
    expect(await json("explain lot cli-acme cli-acme-lot-2")).toMatchObject({
      lot_id: "cli-acme-lot-2",
      credits: "4000000",
      used: "4000000",
      expired: "0",
      remaining: "0",
      by_meter: [
        { meter: "cli-calls", events: 2, credits: "3000000" },
        { meter: "cli-minutes", events: 1, credits: "1000000" },
      ],
      usage: [
        { event_id: "e-2", credits: "2000000", paid: "1000000" },
        { event_id: "e-3", credits: "2000000", paid: "2000000" },
        { event_id: "e-4", credits: "3000000", paid: "1000000" },
      ],
      next_cursor: null,
    });
    expect((await run("explain lot cli-acme cli-acme-lot-2")).stdout).toMatch(
      /It paid for\ncli-calls +3 credits for 2 events\ncli-minutes +1 credits for 1 event\n/,
    );
  });

  test("is the same page by page", async () => {
    const seen: string[] = [];
    let after = "";
    for (let pages = 1; pages <= 3; pages += 1) {
      const page = await json(`explain lot cli-acme cli-acme-lot-2 --limit 1 ${after}`);
      seen.push(...page.usage.map((record: { event_id: string }) => record.event_id));
      after = `--cursor ${page.next_cursor}`;
    }
    expect(seen).toEqual(["e-2", "e-3", "e-4"]);
    expect(after).toBe("--cursor null");
    expect((await run("explain lot cli-acme cli-acme-lot-2 --limit 1")).stdout).toContain(
      "There are more: --cursor ",
    );
  });

  test("a lot that ended shows how much of it expired", async () => {
    const past = Date.now() - 7_200_000;
    const lots = [{ credits: 5_000_000n, expiresAt: past + 3_600_000 }];
    await openAccount(books, "cli-ended", { at: past, lots });
    const use = { accountId: "cli-ended", meter: "cli-calls", quantity: 1n };
    await meterEvents(books, [
      { ...use, eventId: "e-1", occurredAt: past },
      { ...use, eventId: "e-2" },
    ]);
    expect(await json("explain lot cli-ended cli-ended-lot-1")).toMatchObject({
      used: "1000000",
      expired: "4000000",
      remaining: "0",
      usage: [{ event_id: "e-1", paid: "1000000" }],
    });
  });

  test("a lot that also paid for add-ons shows which, and everything sums to its credits", async () => {
    await offer(
      books,
      { "cli-plan": { credits: 10_000_000n } },
      { "cli-voice": 2_000_000n, "cli:kb": 1_000_000n },
    );
    await openAccountWithCard(books, "cli-adds", { lots: [{ credits: 3_000_000n }] });
    const accountId = "cli-adds";
    await run("subscription start cli-adds cli-plan --renewal day-of-month");
    await meterEvents(books, [{ eventId: "a-1", accountId, meter: "cli-calls", quantity: 1n }]);
    await run("add-on set cli-adds cli-voice 2");
    await meterEvents(books, [{ eventId: "a-2", accountId, meter: "cli-calls", quantity: 3n }]);
    await run("add-on set cli-adds cli:kb 1");
    await run("lot withdraw cli-adds plan:1:0 --credits 1.5");

    // Usage drew [0, 1) and [5, 8), the add-ons [1, 5) and [8, 9); the lots are [0, 3) and [3, 11.5).
    expect(await json("explain lot cli-adds cli-adds-lot-1")).toMatchObject({
      used: "3000000",
      by_meter: [{ meter: "cli-calls", events: 1, credits: "1000000" }],
      by_add_on: [{ add_on_id: "cli-voice", charges: 1, credits: "2000000" }],
      usage: [{ event_id: "a-1", paid: "1000000" }],
      charges: [{ sequence: "3", credits: "4000000", paid: "2000000" }],
    });
    const lot = await json("explain lot cli-adds plan:1:0");
    expect(lot).toMatchObject({
      credits: "10000000",
      used: "6000000",
      expired: "0",
      withdrawn: "1500000",
      remaining: "2500000",
      by_meter: [{ meter: "cli-calls", events: 1, credits: "3000000" }],
      by_add_on: [
        { add_on_id: "cli-voice", charges: 1, credits: "2000000" },
        { add_on_id: "cli:kb", charges: 1, credits: "1000000" },
      ],
      usage: [{ event_id: "a-2", start: "5000000", paid: "3000000" }],
      charges: [
        {
          sequence: "3",
          add_on_id: "cli-voice",
          reference: "add-on:cli-voice:1:0:0-2",
          due_at: expect.stringMatching(/Z$/),
          start: "1000000",
          credits: "4000000",
          paid: "2000000",
        },
        { sequence: "4", add_on_id: "cli:kb", start: "8000000", paid: "1000000" },
      ],
      next_cursor: null,
    });
    const paid = [...lot.by_meter, ...lot.by_add_on].reduce(
      (sum, { credits }) => sum + BigInt(credits),
      0n,
    );
    expect(paid).toBe(BigInt(lot.used));

    const { stdout } = await run("explain lot cli-adds plan:1:0");
    expect(stdout).toMatch(/\nused +6\nexpired +0\nwithdrawn +1.5\nleft +2.5\n/);
    expect(stdout).toContain(
      "It paid for\n" +
        "cli-calls         3 credits for 1 event\n" +
        "add-on cli-voice  2 credits for 1 charge\n" +
        "add-on cli:kb     1 credits for 1 charge\n",
    );
    expect(stdout).toMatch(
      /\n +3 {2}add-on cli-voice +add-on:cli-voice:1:0:0-2 +\S+ +\S+Z +4 +2\n/,
    );

    const seen: string[] = [];
    let after = "";
    for (let pages = 1; pages <= 3; pages += 1) {
      const page = await json(`explain lot cli-adds plan:1:0 --limit 1 ${after}`);
      for (const { event_id } of page.usage) seen.push(event_id);
      for (const { reference } of page.charges) seen.push(reference);
      after = `--cursor ${page.next_cursor}`;
    }
    expect(seen).toEqual(["add-on:cli-voice:1:0:0-2", "a-2", "add-on:cli:kb:1:0:0-1"]);
    expect(after).toBe("--cursor null");
  });

  test("a lot that paid for spent credits of a refunded top-up shows which, and everything sums to its credits", async () => {
    await sellCredits(books);
    await openPayer(books, "cli-back", { credits: 1_000_000n });
    const use = { accountId: "cli-back", meter: "cli-calls" };
    // A dollar buys 50 credits: lots [0, 1), [1, 51), [51, 101) and one of 30 behind them.
    const refunded = await topUp(books, "cli-back", { amount: 100n, key: "one" });
    const disputed = await topUp(books, "cli-back", { amount: 100n, key: "two" });
    await run("grant cli-back 30 --lot-id cli-gift");
    await meterEvents(books, [{ ...use, eventId: "b-1", quantity: 61n }]);
    await wentBack(books, "cli-back", { paymentId: refunded, refundId: "r-1", amount: 10n });
    await wentBack(books, "cli-back", { paymentId: refunded, refundId: "r-2", amount: 4n });
    await meterEvents(books, [{ ...use, eventId: "b-2", quantity: 1n }]);
    const taken = { paymentId: disputed, refundId: "d-1", amount: 100n };
    await wentBack(books, "cli-back", { ...taken, kind: "chargeback" });

    // Spent credits of the first are drawn from the second: 5 and 2. Of that 32 were left, which are
    // withdrawn, and 18 were spent: they are drawn from the gift.
    expect(await json("explain lot cli-back top-up:manual:two")).toMatchObject({
      used: "18000000",
      withdrawn: "32000000",
      remaining: "0",
      by_meter: [{ meter: "cli-calls", events: 2, credits: "11000000" }],
      by_add_on: [],
      by_reversal: [
        {
          by: "refund",
          reversed_lot_id: "top-up:manual:one",
          charges: 2,
          credits: "7000000",
        },
      ],
      usage: [
        { event_id: "b-1", paid: "10000000" },
        { event_id: "b-2", paid: "1000000" },
      ],
      charges: [
        {
          sequence: "5",
          kind: "reversal",
          by: "refund",
          reversed_lot_id: "top-up:manual:one",
          reference: "refund:r-1",
          due_at: expect.stringMatching(/Z$/),
          start: "61000000",
          credits: "5000000",
          paid: "5000000",
        },
        { sequence: "6", reference: "refund:r-2", start: "66000000", paid: "2000000" },
      ],
    });
    const gift = (await run("explain lot cli-back cli-gift")).stdout;
    expect(gift).toMatch(/\nused +18\n/);
    expect(gift).toContain(
      "It paid for\nchargeback of top-up:manual:two  18 credits for 1 charge\n",
    );
    expect(gift).toMatch(
      /\n +8 {2}chargeback of top-up:manual:two {2}chargeback:d-1 +gateway +\S+Z +18 +18\n/,
    );

    const { items: entries } = await json("entries cli-back");
    expect(
      entries
        .slice(0, 4)
        .toReversed()
        .map(({ kind, credits, lot_id, reference }: Record<string, string>) =>
          [kind, Number(credits) / 1_000_000, lot_id, reference].join(" "),
        ),
    ).toEqual([
      "reversal -5 top-up:manual:one refund:r-1",
      "reversal -2 top-up:manual:one refund:r-2",
      "adjustment -32 top-up:manual:two chargeback:d-1",
      "reversal -18 top-up:manual:two chargeback:d-1",
    ]);
    const { items: lots } = await json("lots cli-back");
    const uses = lots.map(({ used, withdrawn, remaining }: Record<string, string>) =>
      [used, withdrawn, remaining].map((credits) => Number(credits) / 1_000_000).join(" "),
    );
    expect(uses).toEqual(["1 0 0", "50 0 0", "18 32 0", "18 0 12"]);
  });

  test("a lot that has paid for nothing yet", async () => {
    await openAccount(books, "cli-idle", { lots: [{ credits: 1n }] });
    expect((await run("explain lot cli-idle cli-idle-lot-1")).stdout).toContain(
      "It has paid for nothing yet.",
    );
  });

  test.each([
    [1, "explain lot cli-nobody x", "there is no account cli-nobody"],
    [1, "explain lot cli-acme x", "there is no lot x (drawdown lots)"],
    [
      2,
      "explain lot cli-acme x --limit 0",
      '--limit must be a whole number of at least 1, not "0"',
    ],
    [
      2,
      "explain lot cli-acme cli-acme-lot-1 --cursor y",
      "--cursor is not one that this list has given",
    ],
  ])("exit code %i: %s", async (code, line, sentence) => {
    expect(await run(line)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
  });
});
