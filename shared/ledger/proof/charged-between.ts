import type {
  InstantRange,
  PlanBooks,
  PostedCharge,
  PricedUsage,
} from "../../core/history/what-if.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import type { Transaction } from "../postgres/database.ts";
import { OF_ACCOUNT } from "../usage/list.ts";

/** What was charged in a range of time, of one account or of all (null). */
export interface ChargedRange extends InstantRange {
  readonly accountId: AccountId | null;
}

/** So many rows are held at once, however many there are. */
const PAGE = 10_000;

/** Of all accounts the whole table is read; of one, what its draws lead to. */
const ALL = `
  FROM usage_record AS record
  WHERE occurred_at >= to_timestamp($1::bigint / 1000.0)
    AND occurred_at < to_timestamp($2::bigint / 1000.0)`;

function usageIn({ accountId, from, to }: ChargedRange) {
  return accountId === null
    ? { source: ALL, values: [from, to] }
    : { source: OF_ACCOUNT, values: [accountId, from, to, null] };
}

/** How many events were metered that occurred in a range. */
export async function countUsageBetween(
  transaction: Transaction,
  range: ChargedRange,
): Promise<number> {
  const { source, values } = usageIn(range);
  const { rows } = await transaction.query<[string]>({
    text: `SELECT count(*) ${source}`,
    values,
    rowMode: "array",
  });
  return Number(rows[0]?.[0] ?? 0);
}

type UsageRow = [AccountId, string, string, string, string];

/** Reads the usage that occurred in a range, in no order; `onPage` hears of it a page at a time. */
export async function readUsageBetween(
  transaction: Transaction,
  range: ChargedRange,
  onPage: (usage: readonly PricedUsage[]) => void,
): Promise<void> {
  const { source, values } = usageIn(range);
  const text = `
    SELECT record.account_id, record.meter, record.quantity,
           (extract(epoch FROM record.occurred_at) * 1000)::bigint, record.credits
    ${source}`;
  await readPages<UsageRow>(transaction, { text, values }, (rows) =>
    onPage(
      rows.map(([accountId, meter, quantity, occurredAt, credits]) => ({
        ...{ accountId, meter, quantity: BigInt(quantity) },
        ...{ occurredAt: Number(occurredAt), credits: BigInt(credits) },
      })),
    ),
  );
}

const CHARGES = `
  SELECT account_id, reference, -credits, (extract(epoch FROM due_at) * 1000)::bigint
  FROM entry
  WHERE kind = 'add_on_charge'
    AND due_at >= to_timestamp($1::bigint / 1000.0)
    AND due_at < to_timestamp($2::bigint / 1000.0)
    AND ($3::text IS NULL OR account_id = $3)`;

type ChargeRow = [AccountId, reference: string, credits: string, dueAt: string];

/** Reads the add-on charges that fell due in a range, in no order. */
export async function readChargesBetween(
  transaction: Transaction,
  { from, to, accountId }: ChargedRange,
  onPage: (charges: readonly PostedCharge[]) => void,
): Promise<void> {
  const asked = { text: CHARGES, values: [from, to, accountId] };
  await readPages<ChargeRow>(transaction, asked, (rows) => onPage(rows.flatMap(toCharge)));
}

function toCharge([accountId, reference, credits, dueAt]: ChargeRow): PostedCharge[] {
  const charge = REFERENCE.addOnCharge.read(reference);
  if (charge === null) return [];
  const { addOnId, owed, units } = charge;
  return [
    {
      ...{ accountId, addOnId, units: BigInt(units - owed) },
      ...{ credits: BigInt(credits), dueAt: Number(dueAt) },
    },
  ];
}

/** What the account's subscriptions brought up to the range's end: what they cost follows from their beginning. */
const PLANS = `
  SELECT account_id, currency,
         (SELECT json_agg(json_build_array(
                   lot_id, reference, credits::text, (extract(epoch FROM granted_at) * 1000)::bigint))
          FROM lot
          WHERE lot.account_id = account.account_id AND source = 'plan'
            AND granted_at < to_timestamp($2::bigint / 1000.0)),
         (SELECT json_agg(json_build_array(
                   plan_id, amount::text, (extract(epoch FROM created_at) * 1000)::bigint))
          FROM payment
          WHERE payment.account_id = account.account_id AND kind = 'fee'
            AND created_at >= to_timestamp($1::bigint / 1000.0)
            AND created_at < to_timestamp($2::bigint / 1000.0)),
         (SELECT json_agg(json_build_array(
                   sequence, kind, changed_by, (extract(epoch FROM changed_at) * 1000)::bigint, detail)
                   ORDER BY sequence)
          FROM subscription_change AS change
          WHERE change.account_id = account.account_id
            AND kind IN ('subscribed', 'plan_changed', 'interval_changed')
            AND changed_at < to_timestamp($2::bigint / 1000.0))
  FROM account
  WHERE ($3::text IS NULL OR account_id = $3)
    AND EXISTS (SELECT FROM schedule
                WHERE schedule.account_id = account.account_id AND subscriptions > 0)`;

type LotRow = [lotId: string, planId: string, credits: string, at: number];
type FeeRow = [planId: string, amount: string, at: number];
type ChangeRow = [
  sequence: number,
  kind: SubscriptionChange["kind"],
  by: string,
  at: number,
  detail: Record<string, string>,
];
type PlanRow = [AccountId, string, LotRow[] | null, FeeRow[] | null, ChangeRow[] | null];

/** Reads what plans brought each account that ever subscribed, and its fees of the range, in no order. */
export async function readPlansBetween(
  transaction: Transaction,
  { from, to, accountId }: ChargedRange,
  onPage: (books: readonly PlanBooks[]) => void,
): Promise<void> {
  const asked = { text: PLANS, values: [from, to, accountId] };
  await readPages<PlanRow>(transaction, asked, (rows) => onPage(rows.map(toPlanBooks)));
}

function toPlanBooks([accountId, currency, lots, fees, changes]: PlanRow): PlanBooks {
  return {
    accountId,
    currency,
    lots: (lots ?? []).map(([lotId, planId, credits, at]) => {
      return { lotId, planId, credits: BigInt(credits), at };
    }),
    fees: (fees ?? []).map(([planId, amount, at]) => ({ planId, amount: BigInt(amount), at })),
    changes: (changes ?? []).map(([sequence, kind, by, at, detail]) => {
      return { sequence, kind, by, at: at satisfies Instant, detail };
    }),
  };
}

/** Runs a query through a cursor, so that no more than a page of its rows is held at once. */
async function readPages<Row extends unknown[]>(
  transaction: Transaction,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
  onPage: (rows: readonly Row[]) => void,
): Promise<void> {
  await transaction.query(`DECLARE page NO SCROLL CURSOR FOR ${text}`, [...values]);
  const fetch = { text: `FETCH ${PAGE} FROM page`, rowMode: "array" } as const;
  for (;;) {
    const { rows } = await transaction.query<Row>(fetch);
    if (rows.length === 0) break;
    onPage(rows);
  }
  await transaction.query("CLOSE page");
}
