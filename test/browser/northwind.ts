import { expect } from "vitest";
import { decideAddOn } from "../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../shared/core/changes/subscribe.ts";
import type { Grant } from "../../shared/core/month/grant-credits.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { setBudget } from "../../shared/ledger/budgets/set-budget.ts";
import { changeSubscription } from "../../shared/ledger/credits/change-subscription.ts";
import { createAccount } from "../../shared/ledger/credits/create-account.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { settleAccounts } from "../../shared/ledger/month/settle-accounts.ts";
import { listPayments } from "../../shared/ledger/payments/payments.ts";
import { setAutoTopUp } from "../../shared/ledger/payments/set-auto-top-up.ts";
import { randomFrom } from "../model/random.ts";
import type { Books } from "../support/books/books.ts";
import {
  declined,
  giveCard,
  PAID,
  paidTopUp,
  pendingTopUp,
} from "../support/books/card-holders.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { settlePayment } from "../support/books/one-payment.ts";
import type { Usage } from "../support/books/usage-batches.ts";

/** An account in use for a while, for pictures: everything is produced by the real books and services. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Events may be 35 days old. */
export const DAYS = 33;

/** Opens it `DAYS` ago, with everything granted, paid and declined since. */
export async function openNorthwind(books: Books, account: string, now: number): Promise<void> {
  const { database } = books;
  const accountId = toAccountId(account);
  const began = now - DAYS * DAY_MS;
  const settings = {
    accountId,
    timeZone: "Europe/Prague",
    currency: "USD",
    threshold: 100_000_000n,
  };
  expect(await createAccount(database, settings, { now: began, by: "test" })).toEqual({
    kind: "created",
  });
  await giveCard(books, account, began, { customer: "cus_northwind", method: "card_approve" });
  const change = { accountId, now: began, by: "northwind" };
  // Its months turn days before `now` on every date; those of the calendar may have turned just now.
  const asked = { planId: "growth", interval: "month", renewal: "day_of_month" } as const;
  await changeSubscription(database, change, (context) => decideSubscribe(asked, context));
  for (const [addOnId, units] of [
    ["concurrency", 3],
    ["voice_cloning", 1],
  ] as const) {
    await changeSubscription(database, change, (context) =>
      decideAddOn({ addOnId, units }, context),
    );
  }
  const welcome: Grant = {
    ...{ lotId: "welcome", credits: 400_000_000n, reference: "welcome" },
    ...{ source: "promotion", end: { kind: "at", at: now + 9 * DAY_MS } },
  };
  await grantCredits(database, accountId, welcome, began + HOUR_MS);
  await payFees(books, account, began + HOUR_MS);

  const refused = now - 9 * DAY_MS;
  const topUp = await pendingTopUp(books, account, refused, {
    paymentId: "manual:first",
    amount: 5_000n,
  });
  await settlePayment(database, topUp, declined(), refused);
  await turnMonths(books, account, refused);
  await paidTopUp(books, account, refused + HOUR_MS, {
    paymentId: "manual:second",
    amount: 5_000n,
  });
  await turnMonths(books, account, now);
  const last = { accountId, now, by: "test" };
  await setAutoTopUp(database, last, { amount: 2_500n });
  for (const [value, credits] of BUDGETS) {
    const budget = { dimension: "agent", window: "month", value, credits } as const;
    await setBudget(database, last, budget);
  }
  await changeHold(books, askedHold(account, "call-4711", 120_000_000n), now);
}

/** What agents may spend in a month; the first is for those without their own. */
const BUDGETS = [
  ["", 2_500_000_000n],
  ["anna", 1_500_000_000n],
] as const;

/** Posts what fell due until then, as if all usage had been read, and pays the fees. */
async function turnMonths(books: Books, account: string, now: number): Promise<void> {
  await settleAccounts(books.database, { clock: now, completeUntil: now, limit: 1 }, null);
  await payFees(books, account, now);
}

async function payFees({ database }: Books, account: string, now: number): Promise<void> {
  const payments = await listPayments(database, toAccountId(account), 100, "fee");
  for (const fee of payments) await settlePayment(database, fee, PAID, now);
}

const METERS = [
  { meter: "voice.milliseconds", source: "dialer", least: 90_000, most: 420_000, perDay: 5 },
  { meter: "llm.output_tokens", source: "assistant", least: 300_000, most: 1_500_000, perDay: 4 },
  { meter: "llm.input_tokens", source: "assistant", least: 900_000, most: 4_000_000, perDay: 4 },
  { meter: "kb.queries", source: "knowledge base", least: 20, most: 160, perDay: 3 },
] as const;
const AGENTS = ["anna", "ben", "carla"];
const PROJECTS = ["support", "sales"];

/** Its usage on each day until `now`, less on two days of seven; the same on every date, counted back from `now`. */
export function usageOfNorthwind(accountId: string, now: number): Usage[] {
  const random = randomFrom(7);
  const usages: Usage[] = [];
  for (let ago = DAYS - 1; ago >= 0; ago--) {
    const day = now - ago * DAY_MS;
    const isQuiet = ago % 7 >= 5;
    for (const { meter, source, least, most, perDay } of METERS) {
      const events = isQuiet ? 1 : perDay - random.whole(2);
      for (let i = 0; i < events; i++) {
        usages.push({
          ...{ eventId: `northwind-${usages.length + 1}`, accountId, meter, source },
          quantity: BigInt(random.between(least, most)),
          occurredAt: day - random.whole(9 * HOUR_MS),
          dimensions: {
            agent: random.pick(AGENTS),
            project: random.pick(PROJECTS),
          },
        });
      }
    }
  }
  return usages.sort((a, b) => (a.occurredAt ?? 0) - (b.occurredAt ?? 0));
}
