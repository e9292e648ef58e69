/** Fees in the books: stored with what they pay for, and the state of a suspension. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { decideCancel } from "../../../shared/core/changes/cancel-subscription.ts";
import type { PayingContext } from "../../../shared/core/changes/paying-fees.ts";
import { decideFeePaid } from "../../../shared/core/changes/restore-subscription.ts";
import type { Changed } from "../../../shared/core/changes/subscription-change.ts";
import { decideFeeFailed } from "../../../shared/core/changes/suspend-subscription.ts";
import { EMPTY_SCHEDULE, type Subscription } from "../../../shared/core/month/subscription.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readSchedules } from "../../../shared/ledger/books/schedules.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { previewSettling, settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { setInvoicedElsewhere } from "../../../shared/ledger/payments/invoiced-elsewhere.ts";
import { readPayment } from "../../../shared/ledger/payments/payments.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { publishedPaymentsOf } from "../../support/books/card-holders.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";

const BEGAN = Date.parse("2026-08-10T12:00Z");
const SEPTEMBER = Date.parse("2026-09-01T00:00Z");
const OCTOBER = Date.parse("2026-10-01T00:00Z");
const NOVEMBER = Date.parse("2026-11-01T00:00Z");
const acme = toAccountId("acme");
const FEE = { number: 1, period: 0, planId: "hundred", brings: null };

let books: Books;

beforeEach(async () => {
  books = await openBooks();
  await openCatalogue(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

test("a fee is stored as a payment, due when the fee fell due", async () => {
  await openSubscriber(books, "acme", { at: BEGAN });
  const { rows } = await books.database.query("SELECT * FROM payment");
  expect(rows).toEqual([
    {
      ...{ account_id: "acme", payment_id: "fee:1:0", kind: "fee", status: "pending" },
      ...{ amount: 1000n, currency: "USD", credits: null, life: null, life_months: null },
      ...{ subscription: 1, period: 0, periods: 1, plan_id: "hundred", attempt: 1, calls: 0 },
      ...{ next_try_at: BEGAN, gateway: null, gateway_payment: null, reason: "" },
      ...{ customer: null, method: null },
      ...{ created_at: BEGAN, attempted_at: BEGAN, settled_at: null },
      ...{ brings: null, requested_by: null },
    },
  ]);
});

test("a preview lists the fees of coming turns and stores none; the run stores them", async () => {
  await openSubscriber(books, "acme", { at: BEGAN });
  const run = { clock: OCTOBER, completeUntil: null, limit: 10 };
  const due = [SEPTEMBER, OCTOBER].map((dueAt) => ({ accountId: "acme", fee: { dueAt } }));
  expect((await previewSettling(books.database, run, null)).movement.fees).toMatchObject(due);
  expect(await payments()).toEqual(["fee:1:0"]);
  await settleAccounts(books.database, run, null);
  expect(await payments()).toEqual(["fee:1:0", "fee:1:1", "fee:1:2"]);
  expect(await publishedPaymentsOf(books, "acme")).toEqual([
    ...["1 fee fee:1:0 pending 1000", "2 fee fee:1:1 pending 1000", "3 fee fee:1:2 pending 1000"],
  ]);
});

test("a suspension is kept until its fee is paid, with the months that began meanwhile", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, interval: "year" });
  await change(BEGAN + 1, (context) => decideFeeFailed(FEE, context));
  expect(await subscription()).toMatchObject({ withheld: [], paidPrice: 10_000n, currency: "USD" });
  await settleAccounts(books.database, { clock: OCTOBER, completeUntil: null, limit: 10 }, null);
  expect(await subscription()).toMatchObject({ withheld: [1, 2], periodCredits: 0n });
  await change(OCTOBER + 1, (context) => decideFeePaid(FEE, { ...context, owing: 0 }));
  expect(await subscription()).toMatchObject({ withheld: null, periodCredits: 100_000_000n });
  await settleAccounts(books.database, { clock: NOVEMBER, completeUntil: null, limit: 10 }, null);
  const { rows } = await books.database.query<{ lot_id: string }>(
    "SELECT lot_id FROM lot ORDER BY start_position",
  );
  const periods = [0, 1, 2, 3];
  expect(rows.map((row) => row.lot_id)).toEqual(periods.map((period) => `plan:1:${period}`));
  expect(await payments()).toEqual(["fee:1:0"]);
});

test("a first month by its days, whose fee is given up, is paid exactly while months begin unpaid", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, planId: "hundred-days" });
  await change(BEGAN + 1, (context) => decideFeeFailed(FEE, context));
  await settleAccounts(books.database, { clock: OCTOBER, completeUntil: null, limit: 10 }, null);
  expect(await subscription()).toMatchObject({ withheld: [1, 2], paidUntil: 1, paidPrice: 1_000n });
  const { rows } = await books.database.query("SELECT amount FROM payment");
  expect(rows).toEqual([{ amount: 709n }]);
});

test("the first credits come with the fee's success, once, however often its outcome is reported", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, planId: "hundred-paid" });
  expect(await lots()).toEqual([]);
  const paid = { kind: "succeeded", gatewayPayment: "pay_1" } as const;
  const fee = await readPayment(books.database, { accountId: acme, paymentId: "fee:1:0" });
  if (fee === null) throw new Error("no fee fell due");
  const settled = await Promise.all(
    [1, 2, 3, 4].map((later) => settlePayment(books.database, fee, paid, BEGAN + later)),
  );
  expect(settled.map(({ kind }) => kind).sort()).toEqual([
    ...["already_settled", "already_settled", "already_settled", "settled"],
  ]);
  expect(await lots()).toEqual(["plan:1:0"]);
  expect(await subscription()).toMatchObject({ withheld: null, periodCredits: 100_000_000n });
  expect(await publishedPaymentsOf(books, "acme")).toEqual([
    ...["1 fee fee:1:0 pending 1000", "2 fee fee:1:0 succeeded 1000"],
  ]);
});

test("cancelled before it is paid, the subscription ends, and its fee is never charged", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, planId: "hundred-paid" });
  expect((await change(BEGAN + 1, decideCancel)).kind).toBe("changed");
  expect([await subscription(), await lots()]).toEqual([null, []]);
  const { rows } = await books.database.query("SELECT status, next_try_at FROM payment");
  expect(rows).toEqual([{ status: "failed", next_try_at: null }]);
  expect((await publishedPaymentsOf(books, "acme")).slice(1)).toEqual([
    "2 fee fee:1:0 failed 1000",
  ]);
});

test("a fee that was abandoned is not invoiced either: its credits never come", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, planId: "hundred-paid" });
  await change(BEGAN + 1, decideCancel);
  const request = { accountId: acme, now: BEGAN + 2, by: "finance" };
  const set = await setInvoicedElsewhere(books.database, request, true);
  expect(set).toEqual({ kind: "set", elsewhere: true, invoiced: [] });
  expect(await lots()).toEqual([]);
  const { rows } = await books.database.query("SELECT status FROM payment");
  expect(rows).toEqual([{ status: "failed" }]);
});

test("invoiced elsewhere, an account needs no card: open fees count as paid, later ones are not charged", async () => {
  await openSubscriber(books, "acme", { at: BEGAN, planId: "hundred-paid" });
  const request = { accountId: acme, now: BEGAN + 1, by: "finance" };
  const set = () => setInvoicedElsewhere(books.database, request, true);
  expect(await set()).toEqual({ kind: "set", elsewhere: true, invoiced: ["fee:1:0"] });
  expect(await set()).toEqual({ kind: "set", elsewhere: true, invoiced: [] });
  expect(await lots()).toEqual(["plan:1:0"]);
  await settleAccounts(books.database, { clock: SEPTEMBER, completeUntil: null, limit: 10 }, null);
  expect(await lots()).toEqual(["plan:1:0", "plan:1:1"]);
  const { rows } = await books.database.query("SELECT status, next_try_at FROM payment");
  expect(rows).toEqual(Array(2).fill({ status: "invoiced", next_try_at: null }));
  expect((await publishedPaymentsOf(books, "acme")).slice(1)).toEqual([
    ...["2 fee fee:1:0 invoiced 1000", "3 fee fee:1:1 invoiced 1000"],
  ]);
});

async function lots(): Promise<string[]> {
  const { rows } = await books.database.query<{ lot_id: string }>(
    "SELECT lot_id FROM lot ORDER BY start_position",
  );
  return rows.map((row) => row.lot_id);
}

function change<D extends { readonly kind: string }>(
  now: number,
  decide: (context: PayingContext) => D | Changed,
) {
  return changeSubscription(books.database, { accountId: acme, now, by: "test" }, decide);
}

async function subscription(): Promise<Subscription | null> {
  const schedules = await readSchedules(books.database, [acme]);
  return (schedules.get(acme) ?? EMPTY_SCHEDULE).subscription;
}

async function payments(): Promise<string[]> {
  const { rows } = await books.database.query<{ payment_id: string }>(
    "SELECT payment_id FROM payment ORDER BY created_at",
  );
  return rows.map((row) => row.payment_id);
}
