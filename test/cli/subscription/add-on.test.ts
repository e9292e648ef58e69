import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../../shared/core/changes/subscribe.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { recordUsageComplete } from "../../../shared/ledger/books/usage-complete.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { type Books, openAccountWithCard, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable, outboxOf } from "../../support/cli/every-table.ts";
import { offer } from "../../support/cli/offer.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

const DAY_MS = 86_400_000;

beforeAll(async () => {
  books = await openBooks();
  await offer(
    books,
    { "cli-pro": { credits: 500_000_000n } },
    { "cli-voice": 20_000_000n, "cli:kb": 5_000_000n, "cli-vast": 2n ** 62n },
  );
});
afterAll(() => books.close());

async function subscribed(id: string, threshold = 0n): Promise<void> {
  await openAccountWithCard(books, id, { threshold });
  expect((await run(`subscription start ${id} cli-pro --renewal day-of-month`)).code).toBe(0);
}

describe("add-on set", () => {
  test("charges more units immediately, each once in a period, and records who", async () => {
    await subscribed("cli-acme");
    const two = await json("add-on set cli-acme cli-voice 2 --by anna");
    const entry = {
      sequence: "2",
      kind: "add_on_charge",
      credits: "-40000000",
      balance: "460000000",
      lot_id: null,
      reference: "add-on:cli-voice:1:0:0-2",
      due_at: two.changes[0].at,
    };
    expect(two).toMatchObject({
      outcome: "changed",
      changes: [
        {
          sequence: 2,
          by: "anna",
          kind: "add_on_changed",
          detail: { add_on: "cli-voice", units: "2", before: "0" },
        },
      ],
      entries: [entry],
      add_ons: [{ add_on_id: "cli-voice", quantity: 2, next_quantity: 2 }],
      balance: "460000000",
    });
    expect((await run("add-on set cli-acme cli-voice 3")).stdout).toMatch(
      /^cli-acme: add-on cli-voice: 3 units instead of 2\.\nCharged 20 credits: add-on:cli-voice:1:0:2-3\.\nThe balance is now 440 credits\.\nThe next period begins \S+Z\.\n$/,
    );
    expect((await json("entries cli-acme")).items[1]).toMatchObject(entry);
    const published = await outboxOf(books, "cli-acme", "billing.credits");
    expect(published.map(({ kind, credits, balance }) => [kind, credits, balance])).toEqual([
      ["grant", "500000000", "500000000"],
      ["add_on_charge", "-40000000", "460000000"],
      ["add_on_charge", "-20000000", "440000000"],
    ]);
  });

  test("fewer units apply from the next period on; the old number again undoes that", async () => {
    await subscribed("cli-fewer");
    await run("add-on set cli-fewer cli-voice 3");
    expect((await run("add-on set cli-fewer cli-voice 1")).stdout).toMatch(
      /^cli-fewer: add-on cli-voice: 1 unit from the next period on\.\nThe next period begins \S+Z\.\n$/,
    );
    const again = await json("add-on set cli-fewer cli-voice 3");
    expect(again).toMatchObject({ entries: [], balance: "440000000" });
    expect(again.add_ons).toMatchObject([
      { add_on_id: "cli-voice", quantity: 3, next_quantity: 3 },
    ]);
  });

  test("reports a charge that crosses the threshold", async () => {
    await subscribed("cli-low", 470_000_000n);
    expect((await run("add-on set cli-low cli-voice 2")).stdout).toContain(
      "The balance is now 460 credits.\nThe account is at or below its threshold: a low-balance event was published.\n",
    );
    expect(await outboxOf(books, "cli-low", "billing.low-balance")).toEqual([
      expect.objectContaining({ crossing: "1", balance: "460000000", cause: "entry:2" }),
    ]);
  });
});

test("add-on cancel applies from the next period on", async () => {
  await subscribed("cli-ends");
  await run("add-on set cli-ends cli:kb 2");
  const { changes, entries } = await json("add-on cancel cli-ends cli:kb --by ben");
  expect(entries).toEqual([]);
  expect(changes).toMatchObject([
    { by: "ben", kind: "add_on_change_planned", detail: { add_on: "cli:kb", units: "0" } },
  ]);
  expect((await json("add-on list cli-ends")).add_ons).toMatchObject([
    { quantity: 2, next_quantity: 0 },
  ]);
  expect((await run("add-on cancel cli-ends cli:kb")).stderr).toMatch(
    /^the account already has 0 units of add-on cli:kb from \S+Z on\n$/,
  );
});

describe("add-on list", () => {
  test("lists the add-ons in use with their price", async () => {
    await subscribed("cli-lists");
    await run("add-on set cli-lists cli-voice 3");
    await run("add-on set cli-lists cli:kb 1");
    await run("add-on set cli-lists cli-voice 2");
    expect(await json("add-on list cli-lists")).toEqual({
      add_ons: [
        {
          ...{ add_on_id: "cli-voice", quantity: 3, next_quantity: 2 },
          credits_per_month: "20000000",
        },
        { add_on_id: "cli:kb", quantity: 1, next_quantity: 1, credits_per_month: "5000000" },
      ],
      waiting_charges: [],
    });
    const text = [
      "ADD-ON     UNITS  NEXT PERIOD  CREDITS EACH",
      "cli-voice      3            2            20",
      "cli:kb         1            1             5",
      "",
    ].join("\n");
    expect((await run("add-on list cli-lists")).stdout).toBe(text);
    expect((await run("subscription show cli-lists")).stdout).toContain(`\n\n${text}`);
  });

  test("an account without add-ons", async () => {
    await openAccountWithCard(books, "cli-none");
    expect((await run("add-on list cli-none")).stdout).toBe("Account cli-none has no add-ons.\n");
  });

  test("a turn's charges wait until the usage before them is complete", async () => {
    const accountId = toAccountId("cli-waits");
    const at = Date.now() - 40 * DAY_MS;
    await openAccountWithCard(books, accountId, { at });
    const asked = { planId: "cli-pro", interval: "year", renewal: "day_of_month" } as const;
    const then = { accountId, now: at, by: "then" };
    await changeSubscription(books.database, then, (context) => decideSubscribe(asked, context));
    await changeSubscription(books.database, then, (context) =>
      decideAddOn({ addOnId: "cli:kb", units: 2 }, context),
    );

    await run("subscription cancel cli-waits");
    const { subscription, waiting_charges: waiting } = await json("subscription show cli-waits");
    const due = subscription.period_began_at;
    expect(waiting).toEqual([
      { add_on_id: "cli:kb", period: 1, quantity: 2, credits: "10000000", due_at: due },
    ]);
    const shown =
      "Charges that wait until the usage before them is complete:\n" +
      "ADD-ON  PERIOD  UNITS  CREDITS  DUE\n" +
      `cli:kb       1      2       10  ${due}\n`;
    expect((await run("add-on list cli-waits")).stdout).toContain(`\n\n${shown}`);
    expect((await run("subscription show cli-waits")).stdout).toContain(`\n\n${shown}`);

    await recordUsageComplete(books.database, Date.now() + GRACE_MS);
    await run("subscription resume cli-waits");
    expect((await json("add-on list cli-waits")).waiting_charges).toEqual([]);
    expect((await json("entries cli-waits")).items[0]).toMatchObject({
      kind: "add_on_charge",
      reference: "add-on:cli:kb:1:1:0-2",
      due_at: due,
    });
  });
});

describe("refused, and nothing is changed", () => {
  let before: Record<string, string[]>;

  beforeAll(async () => {
    await openAccountWithCard(books, "cli-bare");
    await subscribed("cli-sub");
    await run("add-on set cli-sub cli-voice 2");
    before = await everyTable(books);
  });

  test.concurrent.each([
    [1, "set cli-nobody cli-voice 1", "there is no account cli-nobody"],
    [1, "list cli-nobody", "there is no account cli-nobody"],
    [
      1,
      "set cli-bare cli-voice 1",
      "the account has no subscription (drawdown subscription start)",
    ],
    [1, "set cli-sub cli-typo 1", "there is no add-on cli-typo now (drawdown catalogue show)"],
    [1, "set cli-sub cli-voice 2", "the account already has 2 units of add-on cli-voice"],
    [1, "set cli-sub cli:kb 0", "the account does not have add-on cli:kb"],
    [1, "cancel cli-sub cli:kb", "the account does not have add-on cli:kb"],
    [
      1,
      "set cli-sub cli-voice 1000001",
      "an account can have at most 1,000,000 units of an add-on",
    ],
    [
      1,
      "set cli-sub cli-voice 9223372036854775807",
      "an account can have at most 1,000,000 units of an add-on",
    ],
    [
      1,
      "set cli-sub cli-vast 2",
      "that is too much for one account: at most 9223372036814.775807 credits are possible",
    ],
    [2, "set cli-sub cli-voice -1", 'units must be a whole number of at least 0, not "-1"'],
    [2, "set cli-sub cli-voice 1.5", 'units must be a whole number of at least 0, not "1.5"'],
    [2, "set cli-sub cli-voice", "missing required argument 'units'"],
  ])("exit code %i: %s", async (code, line, sentence) => {
    expect(await run(`add-on ${line}`)).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
  });

  test("all tables are unchanged", async () => {
    expect(await everyTable(books)).toEqual(before);
  });
});
