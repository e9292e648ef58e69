import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import type { PayingContext } from "../../../shared/core/changes/paying-fees.ts";
import { decideSubscribe, type Subscribing } from "../../../shared/core/changes/subscribe.ts";
import type { Changed } from "../../../shared/core/changes/subscription-change.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { type Books, openAccountWithCard, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable, outboxOf } from "../../support/cli/every-table.ts";
import { offer } from "../../support/cli/offer.ts";
import { giveUpFee, tryFee } from "../../support/cli/pay.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

let books: Books;
const run = (line: string, url = books.url) =>
  drawdown(words(line), { env: { DATABASE_URL: url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

const DAY_MS = 86_400_000;

/** Starts a subscription whose months turn on its own day, so that none turns during a test. */
const start = (id: string) => `subscription start --renewal day-of-month ${id}`;

beforeAll(async () => {
  books = await openBooks();
  await offer(books, {
    "cli-small": { credits: 100_000_000n },
    "cli-pro": { credits: 500_000_000n },
  });
});
afterAll(() => books.close());

/** Midnight of the first of the next month, UTC. */
function nextMonth(instant: string): string {
  const at = new Date(instant);
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1)).toISOString();
}

/** A change made in the past. */
async function changeAt(
  id: string,
  now: number,
  decide: (context: PayingContext) => { kind: string } | Changed,
): Promise<void> {
  const asked = { accountId: toAccountId(id), now, by: "then" };
  const { kind } = await changeSubscription(books.database, asked, decide);
  expect(kind).toBe("changed");
}

/** An account that subscribed in the past and has not changed since. */
async function subscribedAt(id: string, at: number, asked: Partial<Subscribing>): Promise<void> {
  await openAccountWithCard(books, id, { at });
  const subscribing: Subscribing = {
    planId: "cli-pro",
    interval: "month",
    renewal: "first_of_month",
    ...asked,
  };
  await changeAt(id, at, (context) => decideSubscribe(subscribing, context));
}

describe("subscription start", () => {
  test("grants the first month's credits immediately; its months turn on the first", async () => {
    await openAccountWithCard(books, "cli-acme");
    const started = await json("subscription start cli-acme cli-pro --by anna");
    const at = started.subscription.subscribed_at;
    expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(60_000);
    const entry = {
      sequence: "1",
      kind: "grant",
      credits: "500000000",
      balance: "500000000",
      lot_id: "plan:1:0",
      reference: "cli-pro",
      due_at: at,
    };
    expect(started).toEqual({
      outcome: "changed",
      account_id: "cli-acme",
      changes: [
        {
          sequence: 1,
          at,
          by: "anna",
          kind: "subscribed",
          detail: {
            ...{ plan: "cli-pro", interval: "month", renewal: "first_of_month", number: "1" },
            ...{ days: expect.stringMatching(/^\d+$/), of_days: expect.stringMatching(/^\d+$/) },
          },
        },
      ],
      entries: [entry],
      fees: [
        {
          ...{ payment_id: "fee:1:0", subscription_number: 1, plan_id: "cli-pro" },
          ...{ period: 0, periods: 1 },
          ...{ amount: "2900", currency: "USD", due_at: at, credits: null },
        },
      ],
      time_zone: "UTC",
      threshold: "0",
      subscription: {
        number: 1,
        plan_id: "cli-pro",
        interval: "month",
        renewal: "first_of_month",
        subscribed_at: at,
        period: 0,
        period_began_at: at,
        next_period_at: nextMonth(at),
        first_part: null,
        next_credits: "500000000",
        period_credits: "500000000",
        paid_until: nextMonth(at),
        currency: "USD",
        paid_price: "2900",
        next_plan_id: null,
        next_interval: null,
        cancelled: false,
        waiting_for_payment: false,
        suspended: false,
        withheld: null,
      },
      add_ons: [],
      waiting_charges: [],
      open_fees: [
        expect.objectContaining({ payment_id: "fee:1:0", plan_id: "cli-pro", amount: "2900" }),
      ],
      balance: "500000000",
      granted: "500000000",
      position: "0",
      low_balance: false,
      crossing: null,
      ended: "0",
      held: "0",
      available: "500000000",
    });
    expect(await outboxOf(books, "cli-acme", "billing.credits")).toEqual([
      expect.objectContaining({ sequence: "1", kind: "grant", credits: "500000000" }),
    ]);
    expect((await json("entries cli-acme")).items).toEqual([
      { ...entry, posted_at: at, used_before: "0", posted_by: "anna" },
    ]);
  });

  test("shows in words what it did", async () => {
    await openAccountWithCard(books, "cli-words");
    const { code, stdout } = await run("subscription start cli-words cli-small --interval year");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^cli-words: subscribed to cli-small, paid yearly, renews on the first of the month\.\nGranted 100 credits: lot plan:1:0, ends \S+Z\.\nThe balance is now 100 credits\.\nUSD 290\.00 falls due for 12 periods\.\nThe next period begins \S+-01T00:00:00\.000Z\.\n$/,
    );
  });

  test("paid yearly, it is paid for twelve periods; renewed on its day, it turns on that day", async () => {
    await openAccountWithCard(books, "cli-yearly");
    const line = "subscription start cli-yearly cli-pro --interval year --renewal day-of-month";
    const { subscription } = await json(line);
    const { subscribed_at: at, next_period_at: next, paid_until: paidUntil } = subscription;
    expect(subscription).toMatchObject({ interval: "year", renewal: "day_of_month" });
    const days = (until: string) => (Date.parse(until) - Date.parse(at)) / DAY_MS;
    expect(days(next)).toBeGreaterThan(26);
    expect(days(next)).toBeLessThan(31.001);
    expect(days(paidUntil)).toBeGreaterThan(363);
    expect(days(paidUntil)).toBeLessThan(366.001);
    expect(next).toMatch(/T00:00:00.000Z$/);
  });
});

describe("subscription change-plan", () => {
  test("to a larger plan grants the difference immediately; to a smaller one waits", async () => {
    await openAccountWithCard(books, "cli-moves");
    await run(`${start("cli-moves")} cli-small`);
    const larger = await run("subscription change-plan cli-moves cli-pro --by ben");
    expect(larger.stdout).toMatch(
      /^cli-moves: plan cli-pro instead of cli-small\.\nGranted 400 credits: lot plan:1:0:500000000, ends \S+Z\.\nThe balance is now 500 credits\.\nThe next period begins \S+Z\.\n$/,
    );
    const smaller = await run("subscription change-plan cli-moves cli-small");
    expect(smaller.stdout).toMatch(
      /^cli-moves: plan cli-small from the next period on\.\nThe next period begins (\S+)\.\nPlan cli-small applies from \1 on\.\n$/,
    );
    expect(await outboxOf(books, "cli-moves", "billing.credits")).toHaveLength(2);
  });

  test("to the current plan undoes a planned change", async () => {
    await openAccountWithCard(books, "cli-back");
    await run(`${start("cli-back")} cli-pro`);
    const planned = await json("subscription change-plan cli-back cli-small");
    expect(planned.subscription.next_plan_id).toBe("cli-small");
    expect(await run("subscription change-plan cli-back cli-small")).toEqual({
      code: 1,
      stdout: "",
      stderr: `the plan already changes to cli-small at ${planned.subscription.next_period_at}\n`,
    });
    const { subscription, entries } = await json("subscription change-plan cli-back cli-pro");
    expect([subscription.next_plan_id, entries]).toEqual([null, []]);
  });
});

describe("subscription change-interval", () => {
  test("applies from the end of what is paid on", async () => {
    await openAccountWithCard(books, "cli-pays");
    await run(`${start("cli-pays")} cli-small --interval year`);
    const { stdout } = await run("subscription change-interval cli-pays month");
    const { subscription } = await json("subscription show cli-pays");
    expect(stdout).toBe(
      "cli-pays: paid monthly from the end of what is paid on.\n" +
        `The next period begins ${subscription.next_period_at}.\n` +
        `It is paid monthly from ${subscription.paid_until} on.\n`,
    );
    expect(subscription).toMatchObject({ interval: "year", next_interval: "month" });
    expect(await run("subscription change-interval cli-pays month")).toMatchObject({
      code: 1,
      stderr:
        "the subscription is already set to be paid by the month, once what is paid has passed\n",
    });
  });
});

describe("subscription cancel and resume", () => {
  test("cancelled, it ends with what is paid; resumed, it goes on", async () => {
    await openAccountWithCard(books, "cli-leaves");
    const started = await json(`${start("cli-leaves")} cli-small`);
    expect((await run("subscription cancel cli-leaves")).stdout).toBe(
      "cli-leaves: plan cli-small cancelled, to the end of what is paid.\n" +
        `It ends ${started.subscription.paid_until}.\n`,
    );
    expect((await json("subscription show cli-leaves")).subscription.cancelled).toBe(true);
    expect((await run("subscription resume cli-leaves")).stdout).toContain(
      "cli-leaves: plan cli-small resumed.\nThe next period begins",
    );
    expect((await json("subscription show cli-leaves")).subscription.cancelled).toBe(false);
  });
});

describe("subscription show", () => {
  test("shows plan, period, what is paid and what is planned", async () => {
    await openAccountWithCard(books, "cli-shown");
    await run(`${start("cli-shown")} cli-pro --interval year`);
    await run("subscription change-plan cli-shown cli-small");
    await run("subscription change-interval cli-shown month");
    const shown = await json("subscription show cli-shown");
    const { subscription } = shown;
    expect(shown).toEqual({
      account_id: "cli-shown",
      time_zone: "UTC",
      subscription: expect.objectContaining({
        plan_id: "cli-pro",
        interval: "year",
        period: 0,
        period_began_at: subscription.subscribed_at,
        next_plan_id: "cli-small",
        next_interval: "month",
        cancelled: false,
        suspended: false,
      }),
      add_ons: [],
      waiting_charges: [],
      open_fees: [
        {
          ...{ payment_id: "fee:1:0", subscription_number: 1, plan_id: "cli-pro" },
          ...{ period: 0, periods: 12 },
          ...{ status: "pending", amount: "29000", currency: "USD", attempt: 1, reason: "" },
          ...{ due_at: subscription.subscribed_at, next_try_at: subscription.subscribed_at },
          credits: null,
        },
      ],
      next_due_at: subscription.next_period_at,
    });
    const { subscribed_at: at, next_period_at: next, paid_until: paidUntil } = subscription;
    expect((await run("subscription show cli-shown")).stdout).toBe(
      [
        "account     cli-shown",
        "plan        cli-pro: 500 credits a month; received this period: 500",
        "paid        yearly, USD 290.00",
        `paid until  ${paidUntil}`,
        "renews      on the day of the month it began, UTC",
        `subscribed  ${at}`,
        `period      0, since ${at}`,
        `next turn   ${next}`,
        `coming up   The next period begins ${next}; Plan cli-small applies from ${next} on; It is paid monthly from ${paidUntil} on`,
        `next due    ${next}`,
        "",
        "Unpaid fees:",
        "FEE      PLAN     STATUS       AMOUNT  DUE                       ATTEMPT  NEXT TRY                  REASON",
        `fee:1:0  cli-pro  pending  USD 290.00  ${at}        1  ${at}`,
        "",
      ].join("\n"),
    );
  });

  test("shows that it is suspended, with its unpaid fees, until they are paid", async () => {
    await openAccountWithCard(books, "cli-owes");
    await run(`${start("cli-owes")} cli-small`);
    expect((await json("subscription show cli-owes")).open_fees).toHaveLength(1);
    await giveUpFee(books, "cli-owes", "fee:1:0");
    const reason = "The bank declined the payment: the card does not have enough funds.";
    expect(await json("subscription show cli-owes")).toMatchObject({
      subscription: { suspended: true, withheld: [] },
      open_fees: [
        { payment_id: "fee:1:0", status: "failed", attempt: 5, reason, next_try_at: null },
      ],
    });
    const { stdout } = await run("subscription show cli-owes");
    expect(stdout).toContain(
      "\nsuspended   its months bring no credits and no charges until its fees are paid\n",
    );
    expect(stdout).toMatch(
      /\nfee:1:0 +cli-small +failed +USD 29.00 +\S+Z +5 +with another payment method +The bank declined/,
    );

    await run("payment-method set cli-owes --customer cus_1 --method pm_1");
    const [fee] = (await json("subscription show cli-owes")).open_fees;
    expect(Date.parse(fee.next_try_at)).toBeLessThanOrEqual(Date.now());
    await tryFee(books, "cli-owes", "fee:1:0", { kind: "succeeded", gatewayPayment: "pay_1" });
    expect(await json("subscription show cli-owes")).toMatchObject({
      subscription: { suspended: false, withheld: null },
      open_fees: [],
    });
  });

  test("shows that a turn is due, until the next command posts it", async () => {
    const at = Date.now() - 40 * DAY_MS;
    await subscribedAt("cli-missed", at, { renewal: "day_of_month" });
    const before = await everyTable(books);
    const { stdout } = await run("subscription show cli-missed");
    expect(stdout).toMatch(/\nperiod +0, since /);
    expect(stdout).toMatch(/\nnext turn +(\S+Z), due but not posted yet\n/);
    expect(await everyTable(books)).toEqual(before);
    const turn = /next turn +(\S+Z)/.exec(stdout)?.[1];
    await run("subscription cancel cli-missed");
    expect((await json("subscription show cli-missed")).subscription).toMatchObject({
      period: 1,
      period_began_at: turn,
    });
  });

  test("a period starts at its turn, also after the time zone has changed", async () => {
    await subscribedAt("cli-flown", Date.now() - 40 * DAY_MS, { renewal: "day_of_month" });
    await run("account set cli-flown --time-zone Asia/Tokyo");
    const { subscription, time_zone } = await json("subscription show cli-flown");
    expect(time_zone).toBe("Asia/Tokyo");
    expect(subscription.period_began_at).toMatch(/T00:00:00.000Z$/);
    expect(subscription.next_period_at).toMatch(/T15:00:00.000Z$/);
  });

  test("an account without a subscription", async () => {
    await openAccountWithCard(books, "cli-none");
    expect((await run("subscription show cli-none")).stdout).toBe(
      "Account cli-none has no subscription; next due: nothing.\n",
    );
    expect(await json("subscription show cli-none")).toMatchObject({ subscription: null });
  });
});

describe("subscription history", () => {
  test("shows who did what and when, also for turns of the month", async () => {
    const at = Date.now() - 40 * DAY_MS;
    await subscribedAt("cli-told", at, { renewal: "day_of_month" });
    await changeAt("cli-told", at + 1, (context) => decidePlanChange("cli-small", context));
    await run("subscription cancel cli-told --by clara");
    const { items: changes } = await json("subscription history cli-told");
    expect(
      changes.map(({ sequence, by, kind }: Record<string, unknown>) => [sequence, by, kind]),
    ).toEqual([
      [1, "then", "subscribed"],
      [2, "then", "plan_change_planned"],
      [3, "schedule", "plan_changed"],
      [4, "clara", "cancelled"],
    ]);
    const { subscription } = await json("subscription show cli-told");
    expect(changes[2]).toEqual({
      sequence: 3,
      at: subscription.period_began_at,
      by: "schedule",
      kind: "plan_changed",
      detail: { plan: "cli-small", before: "cli-pro" },
    });
    expect(Date.now() - Date.parse(changes[3].at)).toBeLessThan(60_000);
    const when = changes.map((change: { at: string }) => change.at);
    expect((await run("subscription history cli-told")).stdout).toBe(
      [
        "WHEN                      WHO       WHAT",
        `${when[0]}  then      subscribed to cli-pro, paid monthly, renews on the day of the month it began`,
        `${when[1]}  then      plan cli-small from the next period on`,
        `${when[2]}  schedule  plan cli-small instead of cli-pro`,
        `${when[3]}  clara     plan cli-small cancelled, to the end of what is paid`,
        "",
      ].join("\n"),
    );
  });

  test("without --by, changes carry the name of the system's user", async () => {
    await openAccountWithCard(books, "cli-user");
    const { changes } = await json("subscription start cli-user cli-small");
    expect(changes[0].by).toBe(userInfo().username);
  });

  test("an account without changes", async () => {
    await openAccountWithCard(books, "cli-quiet");
    expect((await run("subscription history cli-quiet")).stdout).toBe(
      "Nothing has been changed on account cli-quiet.\n",
    );
  });
});

test("a lost answer: running it again cannot make the change twice", async () => {
  await openAccountWithCard(books, "cli-lost");
  const proxy = await openPostgresProxy(books.url);
  try {
    proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
    expect(await run("subscription start cli-lost cli-pro", proxy.url)).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "the connection to Postgres was lost; the change may or may not have been made; run it again, which cannot make it twice\n",
    });
  } finally {
    await proxy.close();
  }
  const { code } = await run("subscription start cli-lost cli-pro");
  expect(code).toBe(1);
  expect((await json("entries cli-lost")).items).toHaveLength(1);
});
