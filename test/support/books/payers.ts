import { expect } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { setPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import { listPayments } from "../../../shared/ledger/payments/payments.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { eventually } from "../eventually.ts";
import { type Books, openAccount } from "./books.ts";
import { type UsageBatches, usageBatches } from "./usage-batches.ts";

/** A US dollar buys 50 credits, which live twelve months. */
export async function sellCredits({ database }: Books, currency = "USD"): Promise<void> {
  await database.query(
    `INSERT INTO credit_price (currency, valid_from, credits, life, life_months)
     VALUES ($1, to_timestamp(0), 50000000, 'months', 12)`,
    [currency],
  );
}

/** Opens an account with a lot in whole credits and a card of the simulated gateway. */
export async function openPayer(
  books: Books,
  id: string,
  { card = "card_approve", credits = 5_000_000n, threshold = 0n, timeZone = "UTC" } = {},
): Promise<void> {
  await openAccount(books, id, { lots: [{ credits }], threshold, timeZone });
  await setCard(books, id, card);
}

/** Gives an account another card of the simulated gateway. */
export async function setCard(
  { database }: Books,
  id: string,
  method: string,
  now = Date.now(),
): Promise<void> {
  const asked = { accountId: toAccountId(id), now, by: "test" };
  const outcome = await setPaymentMethod(database, asked, { customer: `cus_${id}`, method });
  expect(outcome).toEqual({ kind: "set" });
}

let events = 0;
const partitions = new WeakMap<Books, UsageBatches>();

/** Uses micro-credits of accounts, one event each; a call costs one. */
export async function use(
  books: Books,
  quantities: Readonly<Record<string, bigint>>,
  now = Date.now(),
): Promise<void> {
  const used = Object.entries(quantities).map(([accountId, quantity]) => {
    events += 1;
    return { eventId: `use-${events}`, accountId, quantity, occurredAt: now };
  });
  const usage = partitions.get(books) ?? usageBatches(books, books.url);
  partitions.set(books, usage);
  const batch = { ...usage.next(used), now };
  const { metered } = await debitUsage(books.database, ratesReader(), batch);
  expect(metered).toBe(used.length);
}

/** An account's top-ups in the books, oldest first: id, status and amount charged. */
export async function topUpsOf({ database }: Books, id: string) {
  const payments = await listPayments(database, toAccountId(id), 100);
  return payments
    .filter(({ kind }) => kind === "top_up")
    .map(({ paymentId, status, amount }) => ({ paymentId, status, amount }))
    .reverse();
}

/** Waits until the account's newest payment has this status. */
export async function untilPayment(
  books: Books,
  id: string,
  status: string,
  withinMs = 20_000,
): Promise<void> {
  await eventually(
    `the newest payment of ${id} is ${status}`,
    async () => {
      const [newest] = await listPayments(books.database, toAccountId(id), 1);
      return newest?.status === status;
    },
    withinMs,
  );
}

export async function balanceOf({ database }: Books, id: string): Promise<bigint> {
  const { rows } = await database.query<{ balance: bigint }>(
    "SELECT granted - position AS balance FROM account WHERE account_id = $1",
    [id],
  );
  return rows[0]?.balance ?? 0n;
}
