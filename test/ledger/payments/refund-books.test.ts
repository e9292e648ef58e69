/**
 * Refunds and chargebacks, in real Postgres with the clock passed in and no gateway.
 *
 * - each refund is posted once, by its identity, also concurrently
 * - unspent credits are withdrawn, spent ones owed, expired ones neither, even where the lot's expiry is
 *   posted by the same transaction
 * - auto top-up stops, or it would immediately charge what was just refunded
 * - a chargeback of a fee suspends; its refund moves money only
 */
import { afterEach, describe, expect, test } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { recordUsageComplete } from "../../../shared/ledger/books/usage-complete.ts";
import { takeCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { withdrawLot } from "../../../shared/ledger/credits/withdraw-lot.ts";
import { type GatewayRefund, postRefund } from "../../../shared/ledger/payments/post-refund.ts";
import {
  listRefunds,
  refuseRefund,
  requestRefund,
} from "../../../shared/ledger/payments/refunds.ts";
import {
  autoOf,
  claimOf,
  declined,
  openCardHolder,
  PAID,
  paidTopUp,
  pendingTopUp,
  publishedPaymentsOf,
  rowOf,
  toldOf,
} from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { CREDIT, payerOfTest } from "../../support/books/payer-of-test.ts";
import { balanceOf, use } from "../../support/books/payers.ts";
import { openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const YEAR = 365 * DAY;

const payer = payerOfTest();

/** An account with 100 older credits and 500 bought for ten dollars; a call costs one. */
async function openBuyer(): Promise<void> {
  await openCardHolder(payer.books, payer.id, NOON - DAY, { credits: 100n * CREDIT });
  await paidTopUp(payer.books, payer.id, NOON);
}

/** Ten dollars are refunded a minute later, with overrides. */
function post(given: Partial<GatewayRefund> = {}) {
  return postRefund(payer.database, {
    accountId: payer.accountId,
    paymentId: "manual:1",
    refundId: "re_1",
    kind: "refund",
    amount: 1_000n,
    now: NOON + 60_000,
    ...given,
  });
}

/** The refunds of a payment in the books: `re_1 posted 1000: 500 withdrawn, 0 owed`. */
async function refundsOf(): Promise<string[]> {
  const { rows } = await payer.database.query<{ line: string }>(
    `SELECT format('%s %s %s: %s withdrawn, %s owed', refund_id, status, amount,
                   withdrawn / 1000000, owed / 1000000) AS line
     FROM refund WHERE account_id = $1 ORDER BY created_at, refund_id`,
    [payer.id],
  );
  return rows.map(({ line }) => line);
}

function ask(
  refundId: string,
  amount: bigint | null = null,
  { paymentId = "manual:1", now = NOON }: { paymentId?: string; now?: Instant } = {},
) {
  const asked = { accountId: payer.accountId, paymentId, refundId, amount, by: "test", now };
  return requestRefund(payer.database, asked);
}

describe("a refund of ten dollars", () => {
  test.each([
    { used: 0n, withdrawn: 500n, owed: 0n, balance: 100n },
    { used: 100n, withdrawn: 500n, owed: 0n, balance: 0n },
    { used: 250n, withdrawn: 350n, owed: 150n, balance: -150n },
    { used: 600n, withdrawn: 0n, owed: 500n, balance: -500n },
    { used: 700n, withdrawn: 0n, owed: 500n, balance: -600n },
  ])("with $used calls used withdraws $withdrawn, and $owed are owed", async (row) => {
    await openBuyer();
    if (row.used > 0n) await use(payer.books, { [payer.id]: row.used }, NOON + 1);
    expect(await post()).toEqual({ kind: "posted" });
    expect(await payer.balance()).toBe(row.balance);
    expect(await refundsOf()).toEqual([
      `re_1 posted 1000: ${row.withdrawn} withdrawn, ${row.owed} owed`,
    ]);
  });

  test("takes its credits once, however often and concurrently it is posted", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    const kinds = (await Promise.all(Array.from({ length: 8 }, () => post()))).map(
      ({ kind }) => kind,
    );
    expect(kinds.sort()).toEqual([...Array(7).fill("already_posted"), "posted"]);
    expect(await post({ now: NOON + DAY })).toEqual({ kind: "already_posted" });
    expect(await payer.balance()).toBe(-150n);
  });

  test("has entries by whom it was requested, or by the gateway where it began there", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    await ask("asked", 500n);
    await post({ refundId: "asked", amount: 500n });
    await post({ refundId: "re_2", amount: 500n });
    const { rows } = await payer.database.query(
      `SELECT reference, posted_by FROM entry
       WHERE account_id = $1 AND reference LIKE 'refund:%' ORDER BY sequence`,
      [payer.id],
    );
    expect(rows).toEqual([
      { reference: "refund:asked", posted_by: "test" },
      { reference: "refund:re_2", posted_by: "gateway" },
      { reference: "refund:re_2", posted_by: "gateway" },
    ]);
  });

  test("in parts, posted concurrently, adds up to all of it", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    const parts = [333n, 333n, 334n].flatMap((amount, i) =>
      Array.from({ length: 3 }, () => post({ refundId: `re_${i}`, amount })),
    );
    await Promise.all(parts);
    expect(await payer.balance()).toBe(-150n);
    expect(await refundsOf()).toHaveLength(3);
  });

  test("cent by cent takes the credits of the sum, rounded once", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY, { credits: 100n });
    // Now a cent buys 333.5 micro-credits.
    await payer.database.query(
      `INSERT INTO credit_price (currency, valid_from, credits, life)
       VALUES ('USD', to_timestamp($1 / 1000.0), 33350, 'usual')`,
      [NOON + DAY],
    );
    await paidTopUp(payer.books, payer.id, NOON + DAY);
    const left: bigint[] = [];
    for (const refundId of ["re_1", "re_2", "re_3"]) {
      await post({ refundId, amount: 1n, now: NOON + DAY });
      left.push(await balanceOf(payer.books, payer.id));
    }
    const all = 100n + 333_500n;
    expect(left).toEqual([all - 333n, all - 667n, all - 1_000n]);
  });

  test("during usage loses nothing and takes nothing twice", async () => {
    await openBuyer();
    const meter = async () => {
      for (let i = 0; i < 5; i += 1) await use(payer.books, { [payer.id]: 40n }, NOON + 1);
    };
    const parts = [0, 1, 2, 3].map((i) => post({ refundId: `re_${i}`, amount: 250n }));
    await Promise.all([meter(), ...parts]);
    expect(await payer.balance()).toBe(600n - 5n * 40n - 500n);
  });
});

describe("a lot that has expired", () => {
  // The instant up to which usage is complete is shared by all accounts.
  afterEach(async () => {
    await payer.database.query("DELETE FROM usage_complete");
  });

  test("owes what was spent of it, and not what expired", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    await recordUsageComplete(payer.database, NOON + YEAR + DAY);
    await payer.look(NOON + YEAR + DAY);
    await post({ now: NOON + YEAR + 2 * DAY });
    expect(await refundsOf()).toEqual(["re_1 posted 1000: 0 withdrawn, 150 owed"]);
    expect(await payer.balance()).toBe(-150n);
  });

  test("owes the same where its expiry is posted together with the refund", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    await recordUsageComplete(payer.database, NOON + YEAR + DAY);
    await post({ now: NOON + YEAR + 2 * DAY });
    expect(await refundsOf()).toEqual(["re_1 posted 1000: 0 withdrawn, 150 owed"]);
    expect(await payer.balance()).toBe(-150n);
  });

  test.each([
    { what: "deduction", posts: ["expiry -50", "adjustment -10"] },
    { what: "refund", posts: ["expiry -50", "reversal -500"] },
  ])(
    "is not drawn on by a $what while its expiry waits for late usage",
    async ({ what, posts }) => {
      await openBuyer();
      await use(payer.books, { [payer.id]: 600n }, NOON + 1);
      const at = { accountId: payer.accountId, now: NOON + DAY };
      const gift = { lotId: "gift", credits: 50n * CREDIT, source: "promotion" } as const;
      const end = { kind: "at", at: at.now } as const;
      await grantCredits(payer.database, at.accountId, { ...gift, reference: "", end }, NOON + 2);
      const deduction = { credits: 10n * CREDIT, reference: "ticket 7" };
      await (what === "refund" ? post(at) : takeCredits(payer.database, at, deduction));
      const { rows } = await payer.database.query<{ kind: string; credits: bigint }>(
        "SELECT kind, credits FROM entry WHERE account_id = $1 ORDER BY sequence",
        [payer.id],
      );
      expect(rows.slice(-2).map(({ kind, credits }) => `${kind} ${credits / CREDIT}`)).toEqual(
        posts,
      );
    },
  );

  test("owes for partial refunds no more than was spent of it", async () => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 250n }, NOON + 1);
    await recordUsageComplete(payer.database, NOON + YEAR + DAY);
    const now = NOON + YEAR + 2 * DAY;
    for (const refundId of ["re_1", "re_2"]) await post({ refundId, amount: 500n, now });
    expect(await refundsOf()).toEqual([
      "re_1 posted 500: 0 withdrawn, 150 owed",
      "re_2 posted 500: 0 withdrawn, 0 owed",
    ]);
    expect(await payer.balance()).toBe(-150n);
  });

  test("owes nothing if unused", async () => {
    await openBuyer();
    await recordUsageComplete(payer.database, NOON + YEAR + DAY);
    await post({ now: NOON + YEAR + 2 * DAY });
    expect(await refundsOf()).toEqual(["re_1 posted 1000: 0 withdrawn, 0 owed"]);
    expect(await payer.balance()).toBe(100n);
  });
});

describe("auto top-up", () => {
  test.each([
    { kind: "refund", why: "A top-up was refunded." },
    { kind: "chargeback", why: "A payment was taken back by the bank." },
  ] as const)("stops after a $kind, and publishes the reason", async ({ kind, why }) => {
    await openBuyer();
    await use(payer.books, { [payer.id]: 600n }, NOON + 1);
    await post({ kind });
    expect((await autoOf(payer.books, payer.id)).stopped).toBe(
      `${why} Auto top-up has stopped until you switch it on again.`,
    );
    const looked = await payer.look(NOON + DAY);
    expect(looked).toMatchObject({ topUp: null });
    expect(await toldOf(payer.books, payer.id)).toEqual([
      "1 pending manual:1",
      "2 succeeded manual:1",
      "3 stopped manual:1",
    ]);
  });
});

describe("a requested refund", () => {
  test("is pending, and taken to the gateway; once posted, it is done", async () => {
    await openBuyer();
    await claimOf(payer.books, payer.id, NOON).catch(() => undefined);
    expect(await ask("r-1", 400n, { now: NOON + 5 })).toMatchObject({
      kind: "pending",
      amount: 400n,
    });
    expect(await rowOf(payer.books, payer.id, "manual:1")).toMatchObject({ nextTryAt: NOON + 5 });
    expect(await payer.balance()).toBe(600n);
    await post({ refundId: "r-1", amount: 400n });
    expect(await refundsOf()).toEqual(["r-1 posted 400: 200 withdrawn, 0 owed"]);
    expect(await payer.balance()).toBe(400n);
    expect((await publishedPaymentsOf(payer.books, payer.id)).slice(2)).toEqual([
      "3 refund manual:1 r-1 pending 400 test",
      "4 refund manual:1 r-1 posted 400 test",
    ]);
  });

  test("of everything takes what is neither refunded nor pending", async () => {
    await openBuyer();
    await ask("r-1", 300n);
    await post({ refundId: "re_gateway", amount: 200n });
    expect(await ask("r-2")).toMatchObject({ kind: "pending", amount: 500n });
    expect(await ask("r-3")).toMatchObject({ kind: "exceeds_refundable", left: 0n });
  });

  test("refused by the gateway frees its money again", async () => {
    await openBuyer();
    await ask("r-1");
    const accountId = payer.accountId;
    const of = { accountId, paymentId: "manual:1" };
    const refusal = { reason: "The card is gone.", now: NOON + 1 };
    await refuseRefund(payer.database, of, { refundId: "r-1" }, refusal);
    expect(await listRefunds(payer.database, of)).toMatchObject([
      {
        ...{ refundId: "r-1", kind: "refund", status: "refused", amount: 1_000n },
        reason: "The card is gone.",
      },
    ]);
    expect(await ask("r-2")).toMatchObject({ kind: "pending", amount: 1_000n });
    expect(await payer.balance()).toBe(600n);
    expect((await publishedPaymentsOf(payer.books, payer.id)).slice(2)).toEqual([
      "3 refund manual:1 r-1 pending 1000 test",
      "4 refund manual:1 r-1 refused 1000 test",
      "5 refund manual:1 r-2 pending 1000 test",
    ]);
  });

  test("repeated is the same one", async () => {
    await openBuyer();
    await ask("r-1", 300n);
    expect(await ask("r-1", 300n)).toMatchObject({
      kind: "already_exists",
      refund: { refundId: "r-1", amount: 300n },
    });
    const asks = await Promise.all(Array.from({ length: 5 }, () => ask("r-2", 700n)));
    expect(asks.map(({ kind }) => kind).sort()).toEqual([
      ...Array(4).fill("already_exists"),
      "pending",
    ]);
  });

  test("with the same id for two payments is two refunds", async () => {
    await openBuyer();
    await paidTopUp(payer.books, payer.id, NOON + 1, { paymentId: "manual:2", amount: 2_000n });
    expect(await ask("r-1", 400n)).toMatchObject({ kind: "pending" });
    expect(await ask("r-1", 600n, { paymentId: "manual:2" })).toMatchObject({ kind: "pending" });
    await post({ refundId: "r-1", amount: 400n });
    await post({ refundId: "r-1", amount: 600n, paymentId: "manual:2" });
    expect(await refundsOf()).toEqual([
      "r-1 posted 400: 200 withdrawn, 0 owed",
      "r-1 posted 600: 300 withdrawn, 0 owed",
    ]);
  });

  test.each<{ what: string; refuse: () => Promise<unknown>; says: object }>([
    {
      what: "of an unknown payment",
      refuse: () => ask("r-1", 1n, { paymentId: "manual:9" }),
      says: { kind: "unknown_payment" },
    },
    {
      what: "of more than was paid",
      refuse: () => ask("r-1", 1_001n),
      says: { kind: "exceeds_refundable", left: 1_000n },
    },
  ])("$what is refused", async ({ refuse, says }) => {
    await openBuyer();
    expect(await refuse()).toMatchObject(says);
    expect(await refundsOf()).toEqual([]);
  });

  test("of a payment that is pending or was declined is refused", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const topUp = await pendingTopUp(payer.books, payer.id, NOON);
    expect(await ask("r-1")).toMatchObject({ kind: "not_paid" });
    await settlePayment(payer.database, topUp, declined(), NOON);
    expect(await ask("r-1")).toMatchObject({ kind: "not_paid" });
  });
});

describe("a fee", () => {
  const FEE = "fee:1:0";

  async function payFee(planId = "hundred"): Promise<void> {
    await openSubscriber(payer.books, payer.id, { at: NOON, planId });
    const { payment } = await claimOf(payer.books, payer.id, NOON);
    await settlePayment(payer.database, payment, PAID, NOON);
  }

  async function history(): Promise<string[]> {
    const { rows } = await payer.database.query<{ kind: string }>(
      "SELECT kind FROM subscription_change WHERE account_id = $1 ORDER BY sequence",
      [payer.id],
    );
    return rows.map(({ kind }) => kind);
  }

  test("that is refunded moves money only", async () => {
    await payFee();
    await post({ paymentId: FEE });
    expect([await payer.balance(), await history()]).toEqual([100n, ["subscribed"]]);
    expect(await refundsOf()).toEqual(["re_1 posted 1000: 0 withdrawn, 0 owed"]);
  });

  test.each(["refund", "chargeback"] as const)(
    "whose payment brought the first credits leaves them after a %s: they are withdrawn by hand",
    async (kind) => {
      await payFee("hundred-paid");
      await post({ paymentId: FEE, kind });
      expect(await payer.balance()).toBe(100n);
      expect(await refundsOf()).toEqual(["re_1 posted 1000: 0 withdrawn, 0 owed"]);
      const place = { accountId: payer.accountId, now: NOON + 60_001 };
      const request = { lotId: "plan:1:0", credits: null, reference: "refunded" };
      expect(await withdrawLot(payer.database, place, request)).toMatchObject({
        kind: "withdrawn",
      });
      expect(await payer.balance()).toBe(0n);
    },
  );

  test("that was charged back suspends the subscription, once; granted credits stay", async () => {
    await payFee();
    await post({ paymentId: FEE, kind: "chargeback" });
    await post({ paymentId: FEE, kind: "chargeback" });
    expect([await payer.balance(), await history()]).toEqual([100n, ["subscribed", "suspended"]]);
    expect(await publishedPaymentsOf(payer.books, payer.id)).toEqual([
      "1 fee fee:1:0 pending 1000",
      "2 fee fee:1:0 succeeded 1000",
      "3 chargeback fee:1:0 re_1 posted 1000 gateway",
    ]);
  });
});

test("nothing is posted for a payment unknown to the books", async () => {
  await openCardHolder(payer.books, payer.id, NOON - DAY);
  expect(await post({ paymentId: "manual:9" })).toEqual({ kind: "already_posted" });
  expect(await post({ accountId: toAccountId("nobody") })).toEqual({
    ...{ kind: "unknown_account", accountId: "nobody" },
  });
  expect(await refundsOf()).toEqual([]);
});
