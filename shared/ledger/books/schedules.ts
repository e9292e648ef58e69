import type { AccountId, Instant } from "../../core/line/account.ts";
import type {
  AddOnUse,
  DueCharge,
  Schedule,
  Subscription,
  SubscriptionChange,
} from "../../core/month/subscription.ts";
import type { BillingInterval, Renewal } from "../../core/offer/billing-periods.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";

const READ = `
  SELECT account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date::text,
         (extract(epoch FROM subscribed_at) * 1000)::bigint, period,
         (extract(epoch FROM next_period_at) * 1000)::bigint, period_credits, paid_until,
         next_plan_id, next_interval, cancelled, add_ons, due_charges, currency, paid_price, withheld
  FROM schedule
  WHERE account_id = ANY($1::text[])`;

type Row = [
  accountId: string,
  subscriptions: number,
  changes: number,
  planId: string | null,
  interval: BillingInterval,
  renewal: Renewal,
  anchorDate: string,
  subscribedAt: string,
  period: number,
  nextPeriodAt: string,
  periodCredits: string,
  paidUntil: number,
  nextPlanId: string | null,
  nextInterval: BillingInterval | null,
  cancelled: boolean,
  addOns: AddOnUse[],
  dueCharges: StoredCharge[],
  currency: string,
  paidPrice: string,
  withheld: number[] | null,
];

/** In JSON amounts are decimal strings. */
type StoredCharge = Omit<DueCharge, "credits"> & { readonly credits: string };

/** The schedules of accounts that ever subscribed, by account. */
export async function readSchedules(
  transaction: Transaction | Database,
  accountIds: readonly string[],
): Promise<Map<string, Schedule>> {
  if (accountIds.length === 0) return new Map();
  const { rows } = await transaction.query<Row>({
    name: "read-schedules",
    text: READ,
    values: [textArray(accountIds)],
    rowMode: "array",
  });
  return new Map(rows.map((row) => [row[0], toSchedule(row)]));
}

function toSchedule(row: Row): Schedule {
  const [, subscriptions, changes] = row;
  const [addOns, dueCharges] = [row[15], row[16]];
  return {
    subscriptions,
    changes,
    subscription: toSubscription(row),
    addOns,
    dueCharges: dueCharges.map((due) => ({ ...due, credits: BigInt(due.credits) })),
  };
}

function toSubscription([, number, , planId, ...rest]: Row): Subscription | null {
  if (planId === null) return null;
  const [interval, renewal, date, subscribedAt, period, nextPeriodAt, periodCredits, paidUntil] =
    rest;
  const [, , , , , , , , nextPlanId, nextInterval, cancelled, , , currency] = rest;
  const [paidPrice, withheld] = [rest[14], rest[15]];
  return {
    number,
    planId,
    interval,
    currency,
    anchor: { renewal, date },
    subscribedAt: Number(subscribedAt),
    period,
    nextPeriodAt: Number(nextPeriodAt),
    periodCredits: BigInt(periodCredits),
    paidUntil,
    paidPrice: BigInt(paidPrice),
    nextPlanId,
    nextInterval,
    cancelled,
    withheld,
  };
}

const WRITE = `
  INSERT INTO schedule (account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
                        subscribed_at, period, next_period_at, period_credits, paid_until,
                        next_plan_id, next_interval, cancelled, add_ons, due_charges, currency,
                        paid_price, withheld)
  SELECT account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
         to_timestamp(subscribed_at / 1000.0), period, to_timestamp(next_period_at / 1000.0),
         period_credits, paid_until, next_plan_id, next_interval, cancelled, add_ons, due_charges,
         currency, paid_price, withheld::integer[]
  FROM unnest($1::text[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[],
              $7::date[], $8::bigint[], $9::integer[], $10::bigint[], $11::bigint[], $12::integer[],
              $13::text[], $14::text[], $15::boolean[], $16::jsonb[], $17::jsonb[], $18::text[],
              $19::bigint[], $20::text[])
    AS written (account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
                subscribed_at, period, next_period_at, period_credits, paid_until, next_plan_id,
                next_interval, cancelled, add_ons, due_charges, currency, paid_price, withheld)
  ON CONFLICT (account_id) DO UPDATE
  SET subscriptions = excluded.subscriptions,
      changes = excluded.changes,
      plan_id = excluded.plan_id,
      interval = excluded.interval,
      renewal = excluded.renewal,
      anchor_date = excluded.anchor_date,
      subscribed_at = excluded.subscribed_at,
      period = excluded.period,
      next_period_at = excluded.next_period_at,
      period_credits = excluded.period_credits,
      paid_until = excluded.paid_until,
      next_plan_id = excluded.next_plan_id,
      next_interval = excluded.next_interval,
      cancelled = excluded.cancelled,
      add_ons = excluded.add_ons,
      due_charges = excluded.due_charges,
      currency = excluded.currency,
      paid_price = excluded.paid_price,
      withheld = excluded.withheld`;

/** Writes schedules as they now are. The account's compare-and-set guards them. */
export async function writeSchedules(
  transaction: Transaction,
  written: readonly { accountId: AccountId; schedule: Schedule }[],
): Promise<void> {
  if (written.length === 0) return;
  const schedules = written.map(({ schedule }) => schedule);
  const of = <T>(read: (subscription: Subscription) => T) =>
    schedules.map(({ subscription }) => subscription && read(subscription));
  await transaction.query({
    name: "write-schedules",
    text: WRITE,
    values: [
      textArray(written.map(({ accountId }) => accountId)),
      bigintArray(schedules.map(({ subscriptions }) => subscriptions)),
      bigintArray(schedules.map(({ changes }) => changes)),
      textArray(of(({ planId }) => planId)),
      textArray(of(({ interval }) => interval)),
      textArray(of(({ anchor }) => anchor.renewal)),
      textArray(of(({ anchor }) => anchor.date)),
      bigintArray(of(({ subscribedAt }) => subscribedAt)),
      bigintArray(of(({ period }) => period)),
      bigintArray(of(({ nextPeriodAt }) => nextPeriodAt)),
      bigintArray(of(({ periodCredits }) => periodCredits)),
      bigintArray(of(({ paidUntil }) => paidUntil)),
      textArray(of(({ nextPlanId }) => nextPlanId)),
      textArray(of(({ nextInterval }) => nextInterval)),
      bigintArray(schedules.map(({ subscription }) => subscription?.cancelled ?? false)),
      textArray(schedules.map(({ addOns }) => JSON.stringify(addOns))),
      textArray(schedules.map(({ dueCharges }) => JSON.stringify(dueCharges, amountsAsText))),
      textArray(of(({ currency }) => currency)),
      bigintArray(of(({ paidPrice }) => paidPrice)),
      textArray(of(({ withheld }) => withheld && bigintArray(withheld))),
    ],
  });
}

const INTO_HISTORY = {
  table: "subscription_change",
  columns: "account_id, sequence, kind, changed_by, changed_at, detail",
};

/** Adds to the histories of subscriptions. */
export async function recordChanges(
  transaction: Transaction,
  changes: readonly { accountId: AccountId; change: SubscriptionChange }[],
): Promise<void> {
  if (changes.length === 0) return;
  await insertRows(transaction, INTO_HISTORY, changes, (rows, { accountId, change }) => {
    rows.startRow(6);
    rows.text(accountId);
    rows.int4(change.sequence);
    rows.text(change.kind);
    rows.text(change.by);
    rows.timestamptz(change.at);
    rows.jsonb(JSON.stringify(change.detail));
  });
}

const LIST_CHANGES = `
  SELECT sequence, kind, changed_by, (extract(epoch FROM changed_at) * 1000)::bigint, detail
  FROM subscription_change
  WHERE account_id = $1
  ORDER BY sequence`;

type ChangeRow = [
  sequence: number,
  kind: SubscriptionChange["kind"],
  by: string,
  at: string,
  detail: Record<string, string>,
];

/** The history of an account's subscription, oldest first. */
export async function listChanges(
  transaction: Transaction | Database,
  accountId: AccountId,
): Promise<SubscriptionChange[]> {
  const { rows } = await transaction.query<ChangeRow>({
    text: LIST_CHANGES,
    values: [accountId],
    rowMode: "array",
  });
  return rows.map(([sequence, kind, by, at, detail]) => {
    return { sequence, kind, by, at: Number(at) satisfies Instant, detail };
  });
}
