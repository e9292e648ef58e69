/** The invariants of payments detect broken books: each is broken once, by hand. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { postRefund } from "../../../shared/ledger/payments/post-refund.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";
import { newest, openCardHolder, PAID, paidTopUp } from "../../support/books/card-holders.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { settlePayment, topUpIfLow } from "../../support/books/one-payment.ts";
import { sellCredits, use } from "../../support/books/payers.ts";
import { openCatalogue } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";
import { superuserUrl } from "../../support/stack/template.ts";

const CREDIT = 1_000_000n;
const ONE_IN_FLIGHT = "one top-up in flight";
const LOT = "a succeeded top-up has its lot, of its credits, and each top-up's lot has its payment";
const CROSSING =
  "an automatic top-up has a published crossing; of its numbered tries at most one is not declined";
const LOOKED_AT = "pending and retrying payments have a next check, and settled ones the instant";
const NO_MORE = "refunds of a payment do not exceed it, and only paid payments are refunded";
const TAKEN = "refunds withdrew and reversed what their entries say, and no more than the lot had";
const TILED = "usage, expiries, charges, reversals and deductions tile the line from 0 to position";

let books: Books;
/** One connection, on which a break is rolled back. */
let one: Books["database"];

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  // A top-up by hand, spent in part and refunded in part, and an automatic one.
  await openCardHolder(books, "acme", NOON - DAY, { credits: 100n * CREDIT });
  await paidTopUp(books, "acme", NOON);
  await use(books, { acme: 600n }, NOON + 1);
  const accountId = toAccountId("acme");
  await topUpIfLow(books.database, { accountId, now: NOON + 1 });
  await settlePayment(books.database, await newest(books, "acme"), PAID, NOON + 1);
  for (const [refundId, paymentId] of [
    ["re_1", "manual:1"] as const,
    ["re_2", "low-balance:1"] as const,
  ]) {
    const back = {
      accountId,
      paymentId,
      refundId,
      kind: "refund",
      amount: 400n,
      now: NOON + 2,
    } as const;
    expect(await postRefund(books.database, back)).toEqual({ kind: "posted" });
  }
  one = connect(superuserUrl(books.url), 1); // drops an index
});

afterAll(async () => {
  await one?.end();
  await books?.close();
});

beforeEach(() => one.query("BEGIN"));
afterEach(() => one.query("ROLLBACK"));

test("they hold in good books", async () => {
  expect(await brokenInvariants(one)).toEqual([]);
});

test.each<{ what: string; sql: string; broken: string }>([
  {
    what: "two top-ups are pending",
    sql: `DROP INDEX top_up_in_flight;
          UPDATE payment SET status = 'pending', next_try_at = now()`,
    broken: ONE_IN_FLIGHT,
  },
  {
    what: "a paid top-up has no lot",
    sql: "UPDATE lot SET lot_id = 'x' WHERE lot_id = 'top-up:manual:1'",
    broken: LOT,
  },
  {
    what: "a top-up's lot has other credits",
    sql: "UPDATE lot SET credits = credits + 1 WHERE lot_id = 'top-up:manual:1'",
    broken: LOT,
  },
  {
    what: "an unpaid top-up has a lot",
    sql: "UPDATE payment SET status = 'failed' WHERE payment_id = 'manual:1'",
    broken: LOT,
  },
  {
    what: "a top-up names a crossing that does not exist",
    sql: "UPDATE payment SET payment_id = 'low-balance:9' WHERE payment_id = 'low-balance:1'",
    broken: CROSSING,
  },
  {
    what: "a crossing is paid twice",
    sql: "UPDATE payment SET payment_id = 'low-balance:1:2' WHERE payment_id = 'manual:1'",
    broken: CROSSING,
  },
  {
    what: "a try of a crossing is missing",
    sql: "UPDATE payment SET payment_id = 'low-balance:1:2' WHERE payment_id = 'low-balance:1'",
    broken: CROSSING,
  },
  {
    what: "a pending payment is forgotten",
    sql: "UPDATE payment SET status = 'pending', next_try_at = NULL WHERE payment_id = 'manual:1'",
    broken: LOOKED_AT,
  },
  {
    what: "a settled payment has no instant",
    sql: "UPDATE payment SET settled_at = NULL WHERE payment_id = 'manual:1'",
    broken: LOOKED_AT,
  },
  {
    what: "more was refunded than was paid",
    sql: "UPDATE refund SET amount = 1001 WHERE refund_id = 're_1'",
    broken: NO_MORE,
  },
  {
    what: "more was refunded in parts than was paid",
    sql: "UPDATE refund SET amount = 600, payment_id = 'manual:1'",
    broken: NO_MORE,
  },
  {
    what: "an unpaid payment was refunded",
    sql: "UPDATE payment SET status = 'failed' WHERE payment_id = 'manual:1'",
    broken: NO_MORE,
  },
  {
    what: "a refund has no payment",
    sql: "UPDATE refund SET payment_id = 'manual:9' WHERE refund_id = 're_1'",
    broken: NO_MORE,
  },
  {
    what: "a refund owes credits without an entry",
    sql: "UPDATE refund SET owed = owed + 1 WHERE refund_id = 're_1'",
    broken: TAKEN,
  },
  {
    what: "a refund withdrew credits without an entry",
    sql: "UPDATE refund SET withdrawn = withdrawn - 1 WHERE refund_id = 're_2'",
    broken: TAKEN,
  },
  {
    what: "a reversal is missing on the line",
    sql: "UPDATE entry SET kind = 'adjustment' WHERE kind = 'reversal'",
    broken: TILED,
  },
])("$what", async ({ sql, broken }) => {
  await one.query(sql);
  expect(await brokenInvariants(one)).toContain(`${broken}: acme`);
});
