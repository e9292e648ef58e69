import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { topUpIfLow } from "../../support/books/one-payment.ts";
import { openPayer, sellCredits } from "../../support/books/payers.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable, outboxOf } from "../../support/cli/every-table.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { declined, settle, topUp } from "../../support/cli/pay.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

let books: Books;
const run = (line: string, url = books.url) =>
  drawdown(words(line), { env: { DATABASE_URL: url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

beforeAll(async () => {
  books = await openBooks();
  await sellCredits(books);
  await setPrice(books, "cli-credits", 1_000_000n);
});
afterAll(() => books.close());

/** Runs a command whose COMMIT is carried out, but not answered; what it says. */
async function loseAnswer(line: string): Promise<string> {
  const proxy = await openPostgresProxy(books.url);
  try {
    proxy.catchNext(
      ({ sql }) => sql.startsWith("INSERT INTO auto_top_up"),
      async () => {
        proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
      },
    );
    const { code, stdout, stderr } = await run(line, proxy.url);
    expect([code, stdout]).toEqual([1, ""]);
    return stderr;
  } finally {
    await proxy.close();
  }
}

describe("top-up settings", () => {
  test("are on, with usual amounts, before anybody has set anything", async () => {
    await openAccount(books, "cli-untouched");
    expect(await json("top-up settings cli-untouched")).toEqual({
      enabled: true,
      currency: "USD",
      amount: "1000",
      limit_per_day: "10000",
      limit_per_month: "50000",
      defaults: { amount: true, limit_per_day: true, limit_per_month: true },
      keep_after_subscription: false,
      ceilings: {
        ...{ amount: "100000", limit_per_day: "200000", limit_per_month: "1000000" },
        defaults: { amount: true, limit_per_day: true, limit_per_month: true },
      },
      charged: { today: "0", this_month: "0" },
      consent: { by: "test", at: expect.stringMatching(/Z$/), by_default: true },
      paused_until: null,
      stopped: null,
      declines: 0,
      waits_for_need: false,
      next_look_at: null,
    });
    const { stdout } = await run("top-up settings cli-untouched");
    expect(stdout.replace(/^agreed .*\n/m, "").replaceAll(/ {2,}/g, ": ")).toBe(
      [
        "account: cli-untouched",
        "auto top-up: on",
        "amount: USD 10.00 (default)",
        "limit a day: USD 100.00 (default)",
        "limit a month: USD 500.00 (default)",
        "ceiling each: USD 1000.00 (default)",
        "ceiling a day: USD 2000.00 (default)",
        "ceiling a month: USD 10000.00 (default)",
        "charged today: USD 0.00",
        "charged this month: USD 0.00",
        "without a subscription: ends with it",
        "paused until: not paused",
        "stopped: no",
        "declines: 0 in a row",
        "next check: when the balance is low",
        "",
      ].join("\n"),
    );
    expect(stdout).toMatch(/^agreed +\S+Z by test, as the account was created$/m);
  });

  test("say that a declined card has paused it, and that one that will not do has stopped it", async () => {
    await openPayer(books, "cli-poor", { credits: 1_000_000n });
    await meterEvents(books, [
      { eventId: "e-1", accountId: "cli-poor", meter: "cli-credits", quantity: 1n },
    ]);
    const at = { accountId: toAccountId("cli-poor"), now: Date.now() };
    await topUpIfLow(books.database, at);
    await settle(books, "cli-poor", "low-balance:1", declined("insufficient_funds"));
    const paused = await json("top-up settings cli-poor");
    expect(paused).toMatchObject({ enabled: true, stopped: null, declines: 1 });
    expect(Date.parse(paused.paused_until)).toBeGreaterThan(Date.now() + 3_500_000);
    expect(paused.next_look_at).toBe(paused.paused_until);

    await topUpIfLow(books.database, { ...at, now: Date.parse(paused.paused_until) });
    await settle(books, "cli-poor", "low-balance:1:2", declined("expired", "hard"));
    const { stdout } = await run("top-up settings cli-poor");
    expect(stdout).toMatch(/\npaused until +not paused\n/);
    expect(stdout).toMatch(
      /\nstopped +The card has expired. Auto top-up has stopped until you change the payment method or switch it on again.\n/,
    );
    expect(stdout).toMatch(
      /\ndeclines +2 in a row\nnext check +never, until you set it or the payment method again\n/,
    );

    expect(await json("top-up set cli-poor --auto on")).toMatchObject({
      outcome: "set",
      paused_until: null,
      stopped: null,
      declines: 0,
      next_look_at: expect.stringMatching(/Z$/),
    });
  });
});

describe("top-up set", () => {
  test("changes what is given, keeps the rest, and default sets it back", async () => {
    await openAccount(books, "cli-sets");
    expect((await run("top-up set cli-sets --amount 25 --limit-per-month 750.50")).stdout).toMatch(
      /\namount +USD 25.00\nlimit a day +USD 250.00 \(default\)\nlimit a month +USD 750.50\n/,
    );
    expect(await json("top-up set cli-sets --limit-per-day 100 --auto off")).toMatchObject({
      outcome: "set",
      account_id: "cli-sets",
      enabled: false,
      amount: "2500",
      limit_per_day: "10000",
      limit_per_month: "75050",
      defaults: { amount: false, limit_per_day: false, limit_per_month: false },
    });
    expect(
      await json("top-up set cli-sets --amount default --limit-per-month default"),
    ).toMatchObject({
      enabled: false,
      amount: "1000",
      limit_per_day: "10000",
      limit_per_month: "50000",
      defaults: { amount: true, limit_per_day: false, limit_per_month: true },
    });
    expect(await json("top-up settings cli-sets")).toMatchObject({
      enabled: false,
      limit_per_day: "10000",
    });
  });

  test("ceilings cut what is set above them, are shown beside it, and are lifted again", async () => {
    await openAccount(books, "cli-capped");
    await run("top-up set cli-capped --amount 500 --limit-per-month 9000");
    const capped = await run("top-up ceilings cli-capped --amount 40 --limit-per-month 200");
    expect(capped.stdout).toMatch(
      /\namount +USD 40.00 \(the ceiling\)\nlimit a day +USD 200.00 \(default\)\nlimit a month +USD 200.00 \(the ceiling\)\nceiling each +USD 40.00\n/,
    );
    expect(await json("top-up settings cli-capped")).toMatchObject({
      ...{ amount: "4000", limit_per_day: "20000", limit_per_month: "20000" },
      ceilings: { amount: "4000", limit_per_day: "20000", limit_per_month: "20000" },
    });
    await run("top-up ceilings cli-capped --amount default --limit-per-month default");
    expect(await json("top-up settings cli-capped")).toMatchObject({
      ...{ amount: "50000", limit_per_month: "900000" },
    });
  });

  test("reads and shows money in the account's currency", async () => {
    await run("account create cli-yen --currency JPY");
    expect((await run("top-up set cli-yen --amount 2500")).stdout).toMatch(
      /\namount +JPY 2500\nlimit a day +JPY 25000 \(default\)\n/,
    );
  });

  test("a lost answer: it can be set again", async () => {
    await openAccount(books, "cli-lost-set");
    expect(await loseAnswer("top-up set cli-lost-set --amount 25")).toBe(
      "the connection to Postgres was lost; the settings may or may not have been changed; run it again\n",
    );
    expect(await json("top-up set cli-lost-set --amount 25")).toMatchObject({ amount: "2500" });
  });
});

describe("top-up make", () => {
  test("stores a pending top-up of exactly the amount, which the gateway is to charge", async () => {
    await openPayer(books, "cli-buys");
    const made = await json("top-up make cli-buys 9.90");
    expect(made).toMatchObject({
      outcome: "pending",
      status: "pending",
      account_id: "cli-buys",
      payment_id: `manual:${made.key}`,
      key: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/),
      amount: "990",
      currency: "USD",
      credits: "495000000",
    });
    expect(await outboxOf(books, "cli-buys", "billing.top-ups")).toEqual([
      expect.objectContaining({ top_up_id: made.payment_id, status: "pending", amount: "990" }),
    ]);
    expect((await json("account show cli-buys")).balance).toBe("5000000");
    await settle(books, "cli-buys", made.payment_id);
    expect((await json("account show cli-buys")).balance).toBe("500000000");
  });

  test("under the same key it is the same top-up, whatever became of it", async () => {
    await openPayer(books, "cli-again");
    const line = "top-up make cli-again 25 --key order-1";
    expect(await run(line)).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "Top-up manual:order-1 of USD 25.00 for 1250 credits is pending.\n" +
        "To follow it: drawdown payment show cli-again manual:order-1\n",
    });
    expect((await run(line)).stdout).toBe(
      "Top-up manual:order-1 already exists and is pending; nothing more is charged.\n",
    );
    await settle(books, "cli-again", "manual:order-1");
    expect(await json(line)).toMatchObject({
      outcome: "already_exists",
      account_id: "cli-again",
      key: "order-1",
      payment_id: "manual:order-1",
      status: "succeeded",
      credits: "1250000000",
    });
    expect(await run("top-up make cli-again 26 --key order-1")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "a top-up of USD 25.00 already exists under this key; ask for another under another key (--key)\n",
    });
    expect((await json("top-up list cli-again")).items).toHaveLength(1);
  });

  test("reports one that failed", async () => {
    await openPayer(books, "cli-fails");
    const line = "top-up make cli-fails 25 --key order-1";
    await run(line);
    await settle(books, "cli-fails", "manual:order-1", declined("limit_reached"));
    expect(await run(line)).toEqual({
      code: 1,
      stdout: "Top-up manual:order-1 already exists and has failed; nothing more is charged.\n",
      stderr:
        "top-up manual:order-1 failed: The bank declined the payment: a limit of the card is reached. To try again, use another --key\n",
    });
  });

  test("a lost answer: with the key that is shown, it is charged once", async () => {
    await openPayer(books, "cli-lost");
    const said = await loseAnswer("top-up make cli-lost 25");
    expect(said).toMatch(
      /^the connection to Postgres was lost; the top-up may or may not have been requested; run it again with --key [0-9a-f-]{36}, which cannot charge twice\n$/,
    );
    const key = /--key (\S+),/.exec(said)?.[1];
    expect(await json(`top-up make cli-lost 25 --key ${key}`)).toMatchObject({
      outcome: "already_exists",
      status: "pending",
    });
  });
});

describe("top-up list", () => {
  test("shows top-ups newest first, pending ones as such, by whom and why they failed", async () => {
    await openPayer(books, "cli-lists");
    expect((await run("top-up list cli-lists")).stdout).toBe("Account cli-lists has no top-ups.\n");
    await topUp(books, "cli-lists", { amount: 500n, key: "first" });
    await run("top-up make cli-lists 6 --key second");
    await settle(books, "cli-lists", "manual:second", declined("insufficient_funds"));
    await run("top-up make cli-lists 7 --key third");
    const { items: topUps, next_cursor: next } = await json("top-up list cli-lists");
    expect(next).toBe(null);
    expect(topUps).toEqual([
      {
        payment_id: "manual:third",
        kind: "top_up",
        status: "pending",
        amount: "700",
        currency: "USD",
        credits: "350000000",
        automatic: false,
        ...{ subscription_number: null, plan_id: null, period: null, periods: null },
        attempt: 1,
        reason: "",
        created_at: expect.stringMatching(/Z$/),
        requested_by: expect.any(String),
        refunded: "0",
      },
      expect.objectContaining({
        payment_id: "manual:second",
        status: "failed",
        reason: "The bank declined the payment: the card does not have enough funds.",
      }),
      expect.objectContaining({ payment_id: "manual:first", status: "succeeded" }),
    ]);
    const { stdout } = await run("top-up list cli-lists --limit 2");
    expect(stdout).toMatch(
      /^PAYMENT +FOR +STATUS +AMOUNT +CREDITS +ATTEMPT +CREATED +REASON +REFUNDED\nmanual:third +top-up by hand +pending +USD 7.00 +350 +1 +\S+Z\nmanual:second +top-up by hand +failed +USD 6.00 +300 +1 +\S+Z +The bank .* funds.\nThere are more: --cursor \S+\n$/,
    );
  });
});

describe("refused, and nothing is changed", () => {
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await openPayer(books, "cli-stays");
    await openPayer(books, "cli-busy");
    await run("top-up make cli-busy 25 --key order-1");
    await openAccount(books, "cli-bare");
    await run("account create cli-krona --currency SEK");
    await run("payment-method set cli-krona --customer cus_1 --method pm_1");
    await openPayer(books, "cli-full", { credits: 2n ** 63n - 1n - 400_000_000n });
    before = await everyTable(books);
  });

  test.concurrent.each([
    [1, "settings cli-nobody", "there is no account cli-nobody"],
    [1, "list cli-nobody", "there is no account cli-nobody"],
    [2, "list cli-stays --limit 0", '--limit must be a whole number of at least 1, not "0"'],
    [1, "set cli-nobody --auto on", "there is no account cli-nobody"],
    [
      2,
      "set cli-stays",
      "name what to set: --auto, --amount, --limit-per-day, --limit-per-month, --keep-after-subscription or several of them",
    ],
    [2, "set cli-stays --auto yes", '--auto must be on or off, not "yes"'],
    [2, "set cli-stays --amount 1,5", '"1,5" is not an amount of USD; write it like 29.00'],
    [2, "set cli-stays --amount 0.005", "0.005 has more decimals than the 2 of USD"],
    [2, "set cli-stays --limit-per-day -1", "-1 USD is below zero"],
    [1, "set cli-stays --amount 0.49", "the amount must be at least USD 0.50"],
    [
      1,
      "set cli-stays --amount 1000000",
      "a top-up of USD 1000000.00 is above the seller's ceiling of USD 1000.00 for one top-up (drawdown top-up ceilings)",
    ],
    [
      1,
      "set cli-stays --limit-per-month 90000000000000",
      "a limit of USD 90000000000000.00 a month is above the seller's ceiling of USD 10000.00 a month (drawdown top-up ceilings)",
    ],
    [1, "ceilings cli-stays --amount 0.49", "the amount must be at least USD 0.50"],
    [1, "ceilings cli-stays --amount 1000000", "the amount must be at most USD 999999.99"],
    [
      2,
      "ceilings cli-stays",
      "name what to set: --amount, --limit-per-day, --limit-per-month or several of them",
    ],
    [1, "ceilings cli-nobody --amount 5", "there is no account cli-nobody"],
    [
      1,
      "set cli-stays --amount 25 --limit-per-day 20",
      "the amount of USD 25.00 is more than the limit of USD 20.00 a day; change one of them, or both at once",
    ],
    [
      1,
      "set cli-stays --limit-per-month 9.99",
      "the amount of USD 10.00 is more than the limit of USD 9.99 a month; change one of them, or both at once",
    ],
    [1, "make cli-nobody 25", "there is no account cli-nobody"],
    [2, "make cli-stays ten", '"ten" is not an amount of USD; write it like 29.00'],
    [2, "make cli-stays 1.234", "1.234 has more decimals than the 2 of USD"],
    [
      2,
      `make cli-stays 25 --key ${"x".repeat(257)}`,
      "--key has 257 characters; at most 256 are allowed",
    ],
    [
      2,
      `make cli-stays 25 --key ${"x".repeat(243)}`,
      "the lot id made from --key has 257 characters; at most 256 are allowed",
    ],
    [1, "make cli-stays 0.49", "the amount must be at least USD 0.50"],
    [
      1,
      "make cli-stays 1000.01",
      "a top-up of USD 1000.01 is above the seller's ceiling of USD 1000.00 for one top-up (drawdown top-up ceilings)",
    ],
    [
      1,
      "make cli-stays 100.01",
      "the limit of USD 100.00 a day leaves USD 100.00 for top-ups now (drawdown top-up set)",
    ],
    [
      1,
      "make cli-bare 25",
      "there is no payment method; add one to pay (drawdown payment-method set)",
    ],
    [
      1,
      "make cli-busy 25 --key order-2",
      "a top-up is already pending; ask again once it is settled (drawdown top-up list)",
    ],
    [
      1,
      "make cli-busy 26 --key order-1",
      "a top-up of USD 25.00 already exists under this key; ask for another under another key (--key)",
    ],
    [
      1,
      "make cli-krona 25",
      "credits cannot be bought in SEK at the moment (drawdown catalogue apply)",
    ],
    [1, "make cli-full 10", "that is too much for one account: at most 400 credits are possible"],
  ])("exit code %i: top-up %s", async (code, line, sentence) => {
    expect(await run(`top-up ${line}`)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
  });

  test("all tables are unchanged", async () => {
    expect(await everyTable(books)).toEqual(before);
  });
});
