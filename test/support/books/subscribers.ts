import { expect } from "vitest";
import { parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import { decideSubscribe } from "../../../shared/core/changes/subscribe.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { BillingInterval, Renewal } from "../../../shared/core/offer/billing-periods.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { applyCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { type Books, openAccount } from "./books.ts";

const CATALOGUE = `
meters:
  call: { from: 2026-01-01T00:00:00Z, credits: 1, per: 1 }
plans:
  hundred-paid: { from: 2026-01-01T00:00:00Z, credits: 100, prices: { USD: { monthly: 10, yearly: 100 } } }
  hundred: { from: 2026-01-01T00:00:00Z, credits: 100, first_credits: immediately, prices: { USD: { monthly: 10, yearly: 100 } } }
  hundred-days: { from: 2026-01-01T00:00:00Z, credits: 100, first_credits: immediately, first_month: by_days, prices: { USD: { monthly: 10, yearly: 100 } } }
add_ons:
  voice: { from: 2026-01-01T00:00:00Z, credits: 20 }
`;

/** Prices since 2026: a call for 1 credit, plan `hundred` with 100 a month, add-on `voice` for 20 a month. */
export async function openCatalogue({ database }: Books): Promise<void> {
  const parsed = parseCatalogue(Buffer.from(CATALOGUE));
  if (parsed.kind === "unreadable") throw new Error(JSON.stringify(parsed.problems));
  const applied = await applyCatalogue(database, parsed.asked, Date.now(), 0);
  expect(applied.kind).toBe("changes");
}

interface SubscriberOptions {
  readonly at: Instant;
  /**
   * Default: `hundred`, whose credits come immediately. Those of `hundred-paid` come when paid, and those of
   * `hundred-days` in the first month by its days.
   */
  readonly planId?: string;
  readonly renewal?: Renewal;
  readonly interval?: BillingInterval;
  readonly timeZone?: string;
  readonly threshold?: bigint;
  /** Units of `voice`, activated with the subscription. */
  readonly voices?: number;
}

/** Opens an account on a plan, as if it had a card, without other lots. */
export async function openSubscriber(
  books: Books,
  id: string,
  options: SubscriberOptions,
): Promise<void> {
  const { planId = "hundred", renewal = "first_of_month", interval = "month" } = options;
  const { at, voices = 0, timeZone, threshold } = options;
  await openAccount(books, id, {
    at,
    ...(timeZone && { timeZone }),
    ...(threshold && { threshold }),
  });
  const change = { accountId: toAccountId(id), now: at, by: "test" };
  const subscribed = await changeSubscription(books.database, change, (context) =>
    decideSubscribe({ planId, interval, renewal }, { ...context, wayToPay: "payment_method" }),
  );
  expect(subscribed.kind).toBe("changed");
  if (voices === 0) return;
  const activated = await changeSubscription(books.database, change, (context) =>
    decideAddOn({ addOnId: "voice", units: voices }, context),
  );
  expect(activated.kind).toBe("changed");
}

/** Opens copies of an existing account: `<id>-1`, `<id>-2`, ... */
export async function copySubscriber(
  { database }: Books,
  id: string,
  copies: number,
): Promise<void> {
  for (const table of ["account", "lot", "entry", "schedule", "subscription_change", "payment"]) {
    const { rows } = await database.query<{ columns: string }>(
      `SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
       FROM information_schema.columns
       WHERE table_name = $1 AND table_schema = 'public' AND column_name <> 'account_id'`,
      [table],
    );
    const columns = rows[0]?.columns;
    await database.query(
      `INSERT INTO ${table} (account_id, ${columns})
       SELECT account_id || '-' || copy, ${columns}
       FROM ${table}, generate_series(1, $2::integer) AS copy WHERE account_id = $1`,
      [id, copies],
    );
  }
}
