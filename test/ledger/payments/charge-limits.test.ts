/**
 * The gateway's minimum charges, in the books for all who decide on amounts.
 *
 * - new books have those of the gateway that set-up is told, or of the simulated one
 * - to record those of Stripe needs no key
 * - recording replaces them all; what is gone is removed
 * - the seller's default ceilings stand beside them
 * - a currency without one is charged from 1 minor unit on
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { kindOf } from "../../../services/top-up/gateways/open-gateway.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { createAccount } from "../../../shared/ledger/credits/create-account.ts";
import { recordChargeLimits } from "../../../shared/ledger/payments/charge-limits.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { type Books, openBooks } from "../../support/books/books.ts";

let books: Books;

beforeEach(async () => {
  books = await openBooks();
});

afterEach(() => books.close());

test("new books have minimum charges, though no top-up service has run", async () => {
  expect(await minimumIn("USD")).toBe(50n);
  expect(await minimumIn("CZK")).toBe(1_500n);
});

test("those of Stripe are recorded without a key; a gateway that does not exist is refused", async () => {
  await record({ KWD: 100n });
  await runRecording("stripe");
  expect(await stored()).toEqual(Object.fromEntries(kindOf("stripe").minimumCharges));
  await expect(runRecording("paypal")).rejects.toThrow(/PAYMENT_GATEWAY: must be one of/);
});

test("recording replaces all of them: what is gone is removed", async () => {
  await record({ USD: 70n, KWD: 100n });
  expect(await stored()).toEqual({ USD: 70n, KWD: 100n });
  await record({ KWD: 100n, EUR: 60n });
  expect(await stored()).toEqual({ KWD: 100n, EUR: 60n });
  expect([await minimumIn("EUR"), await minimumIn("USD")]).toEqual([60n, 1n]);
  await record({});
  expect(await stored()).toEqual({});
});

test("a currency that the gateway does not name is charged from 1 minor unit on", async () => {
  expect(await setAmount("KWD", 1n)).toMatchObject({ kind: "set", auto: { amount: 1n } });
  expect(await setAmount("KWD", 0n)).toEqual({ kind: "below_minimum", least: 1n, currency: "KWD" });
});

test("the seller's default ceilings are recorded too, in currencies without a minimum as well", async () => {
  const ceilings = { amount: 5_000n, perDay: 6_000n, perMonth: 7_000n };
  await recordChargeLimits(books.database, new Map([["USD", 50n]]), new Map([["KWD", ceilings]]));
  expect(await stored()).toEqual({ USD: 50n, KWD: 1n });
  expect(await setAmount("KWD", 5_001n)).toMatchObject({ kind: "above_ceiling", ceiling: 5_000n });
  expect(await setAmount("USD", 5_001n)).toMatchObject({ kind: "set" });
  await record({ KWD: 100n });
  expect(await setAmount("KWD", 5_001n)).toMatchObject({ kind: "set" });
});

test("an amount is compared with the minimum that is recorded", async () => {
  await record({ USD: 70n });
  expect(await setAmount("USD", 69n)).toEqual({
    ...{ kind: "below_minimum", least: 70n, currency: "USD" },
  });
  expect(await setAmount("USD", 70n)).toMatchObject({ kind: "set" });
});

/** As set-up does it. */
async function runRecording(gateway: string): Promise<void> {
  const env = { ...process.env, DATABASE_URL: books.url, PAYMENT_GATEWAY: gateway };
  const file = "services/top-up/set-up/main.ts";
  await promisify(execFile)(process.execPath, [file], { env });
}

function record(minimums: Readonly<Record<string, bigint>>): Promise<void> {
  return recordChargeLimits(books.database, new Map(Object.entries(minimums)), new Map());
}

async function stored(): Promise<Record<string, bigint>> {
  const { rows } = await books.database.query<{ currency: string; minimum: bigint }>(
    "SELECT currency, minimum FROM charge_limit",
  );
  return Object.fromEntries(rows.map(({ currency, minimum }) => [currency, minimum]));
}

async function minimumIn(currency: string): Promise<bigint | undefined> {
  const details = await readAccountDetails(books.database, await payerIn(currency));
  return details?.minimumCharge;
}

async function setAmount(currency: string, amount: bigint) {
  const by = { accountId: await payerIn(currency), now: Date.now(), by: "test" };
  return setAutoTopUp(books.database, by, { amount });
}

/** An account that pays in a currency. */
async function payerIn(currency: string) {
  const accountId = toAccountId(`payer-${currency}`);
  const account = { accountId, timeZone: "UTC", currency, threshold: 0n };
  await createAccount(books.database, account, { now: Date.now(), by: "test" });
  return accountId;
}
