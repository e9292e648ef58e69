import type { AccountId } from "../../core/line/account.ts";
import type {
  DueCharge,
  Schedule,
  Subscription,
  SubscriptionChange,
} from "../../core/month/subscription.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { overwritten } from "../postgres/overwritten.ts";

const READ = `
  SELECT account_id AS "accountId", subscriptions, changes, add_ons AS "addOns",
         due_charges AS "dueCharges", plan_id AS "planId", interval, currency, renewal,
         anchor_date AS date, subscribed_at AS "subscribedAt", period,
         next_period_at AS "nextPeriodAt", period_credits AS "periodCredits",
         paid_until AS "paidUntil", paid_price AS "paidPrice", next_plan_id AS "nextPlanId",
         next_interval AS "nextInterval", cancelled, withheld,
         CASE WHEN first_days IS NOT NULL
           THEN jsonb_build_object('days', first_days, 'of', first_of_days) END AS "firstPart"
  FROM schedule
  WHERE account_id = ANY($1::text[])`;

/** Without a subscription every column is null. */
type SubscriptionRow = Omit<Subscription, "number" | "anchor" | "planId"> &
  Subscription["anchor"] & { readonly planId: string | null };

type Row = SubscriptionRow &
  Pick<Schedule, "subscriptions" | "changes" | "addOns"> & {
    readonly accountId: string;
    readonly dueCharges: readonly StoredCharge[];
  };

/** In JSON amounts are decimal strings. */
type StoredCharge = Omit<DueCharge, "credits"> & { readonly credits: string };

/** The schedules of accounts that ever subscribed, by account. */
export async function readSchedules(
  transaction: Queryable,
  accountIds: readonly string[],
): Promise<Map<string, Schedule>> {
  if (accountIds.length === 0) return new Map();
  const rows = await queryRows<Row>(transaction, READ, [textArray(accountIds)], "read-schedules");
  return new Map(rows.map((row) => [row.accountId, toSchedule(row)]));
}

function toSchedule(row: Row): Schedule {
  const { accountId: _, subscriptions, changes, addOns, dueCharges, ...subscription } = row;
  return {
    subscriptions,
    changes,
    subscription: toSubscription(subscriptions, subscription),
    addOns,
    dueCharges: dueCharges.map((due) => ({ ...due, credits: BigInt(due.credits) })),
  };
}

function toSubscription(
  number: number,
  { planId, renewal, date, ...rest }: SubscriptionRow,
): Subscription | null {
  return planId === null ? null : { number, planId, anchor: { renewal, date }, ...rest };
}

const COLUMNS = `
  subscriptions, changes, plan_id, interval, renewal, anchor_date, subscribed_at, period,
  next_period_at, period_credits, paid_until, next_plan_id, next_interval, cancelled, add_ons,
  due_charges, currency, paid_price, withheld, first_days, first_of_days`;

const WRITE = `
  INSERT INTO schedule (account_id, ${COLUMNS})
  SELECT account_id, subscriptions, changes, plan_id, interval, renewal, anchor_date,
         to_timestamp(subscribed_at / 1000.0), period, to_timestamp(next_period_at / 1000.0),
         period_credits, paid_until, next_plan_id, next_interval, cancelled, add_ons, due_charges,
         currency, paid_price, withheld::integer[], first_days, first_of_days
  FROM unnest($1::text[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[],
              $7::date[], $8::bigint[], $9::integer[], $10::bigint[], $11::bigint[], $12::integer[],
              $13::text[], $14::text[], $15::boolean[], $16::jsonb[], $17::jsonb[], $18::text[],
              $19::bigint[], $20::text[], $21::integer[], $22::integer[])
    AS written (account_id, ${COLUMNS})
  ON CONFLICT (account_id) DO UPDATE
  SET ${overwritten(COLUMNS)}`;

/** Writes schedules. The compare-and-set on the account guards them. */
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
      bigintArray(of(({ firstPart }) => firstPart?.days ?? null)),
      bigintArray(of(({ firstPart }) => firstPart?.of ?? null)),
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
  await insertRows(transaction, INTO_HISTORY, changes, (rows, { accountId, change }) => {
    rows.text(accountId);
    rows.int4(change.sequence);
    rows.text(change.kind);
    rows.text(change.by);
    rows.timestamptz(change.at);
    rows.jsonb(JSON.stringify(change.detail));
  });
}

const LIST_CHANGES = `
  SELECT sequence, kind, changed_by AS by, changed_at AS at, detail
  FROM subscription_change
  WHERE account_id = $1
  ORDER BY sequence`;

/** The history of an account's subscription, oldest first. */
export async function listChanges(
  transaction: Queryable,
  accountId: AccountId,
): Promise<SubscriptionChange[]> {
  return queryRows<SubscriptionChange>(transaction, LIST_CHANGES, [accountId]);
}
