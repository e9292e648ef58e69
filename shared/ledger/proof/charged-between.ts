import type {
  InstantRange,
  PlanBooks,
  PostedCharge,
  PricedUsage,
} from "../../core/history/what-if.ts";
import type { AccountId } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { firstDrawnSince, MOST_AHEAD, OF_ACCOUNT, occurredIn } from "../usage/walk-records.ts";

/** A range of time, for one account or all (null). */
export interface ChargedRange extends InstantRange {
  readonly accountId: AccountId | null;
}

/** Rows in memory at a time. */
const PAGE = 10_000;

/** For all accounts every page is read; for one, those of about that time. */
const ALL = `
  FROM usage_record AS record
  WHERE ${occurredIn("to_timestamp($1::bigint / 1000.0)", "to_timestamp($2::bigint / 1000.0)")}`;

const [FROM, TO] = ["to_timestamp($2::bigint / 1000.0)", "to_timestamp($3::bigint / 1000.0)"];

const OF_ONE = `
  ${OF_ACCOUNT}
    AND record.page_start >= ${firstDrawnSince(`${FROM} - ${MOST_AHEAD}`)}
    AND ${occurredIn(FROM, TO)}`;

function usageIn({ accountId, from, to }: ChargedRange) {
  return accountId === null
    ? { source: ALL, values: [from, to] }
    : { source: OF_ONE, values: [accountId, from, to] };
}

/** Counts the metered events that occurred in a range. */
export async function countUsageBetween(
  transaction: Transaction,
  range: ChargedRange,
): Promise<number> {
  const { source, values } = usageIn(range);
  const row = await queryRow<{ count: bigint }>(transaction, `SELECT count(*) ${source}`, values);
  return Number(row?.count ?? 0n);
}

/** Reads the usage that occurred in a range, in no order; `onPage` receives a page at a time. */
export async function readUsageBetween(
  transaction: Transaction,
  range: ChargedRange,
  onPage: (usage: readonly PricedUsage[]) => void,
): Promise<void> {
  const { source, values } = usageIn(range);
  const text = `
    SELECT record.account_id AS "accountId", record.meter, record.quantity,
           record.occurred_at AS "occurredAt", coalesce(record.dimensions, '{}') AS dimensions,
           record.credits
    ${source}`;
  await readPages<PricedUsage>(transaction, { text, values }, onPage);
}

const CHARGES = `
  SELECT account_id AS "accountId", reference, -credits AS credits, due_at AS "dueAt"
  FROM entry
  WHERE kind = 'add_on_charge'
    AND due_at >= to_timestamp($1::bigint / 1000.0)
    AND due_at < to_timestamp($2::bigint / 1000.0)
    AND ($3::text IS NULL OR account_id = $3)`;

type ChargeRow = Omit<PostedCharge, "addOnId" | "units"> & { readonly reference: string };

/** Reads the add-on charges that fell due in a range, in no order. */
export async function readChargesBetween(
  transaction: Transaction,
  { from, to, accountId }: ChargedRange,
  onPage: (charges: readonly PostedCharge[]) => void,
): Promise<void> {
  const asked = { text: CHARGES, values: [from, to, accountId] };
  await readPages<ChargeRow>(transaction, asked, (rows) => onPage(rows.flatMap(toCharge)));
}

function toCharge({ reference, ...posted }: ChargeRow): PostedCharge[] {
  const charge = REFERENCE.addOnCharge.read(reference);
  if (charge === null) return [];
  const { addOnId, owed, units } = charge;
  return [{ ...posted, addOnId, units: BigInt(units - owed) }];
}

/**
 * What the account's subscriptions brought up to the range's end: what they cost follows from their
 * beginning.
 */
const PLANS = `
  SELECT account_id AS "accountId", currency,
         (SELECT coalesce(json_agg(json_build_object(
                   'lotId', lot_id, 'planId', reference, 'credits', credits::text,
                   'at', (extract(epoch FROM granted_at) * 1000)::bigint)), '[]')
          FROM lot
          WHERE lot.account_id = account.account_id AND source = 'plan'
            AND granted_at < to_timestamp($2::bigint / 1000.0)) AS lots,
         (SELECT coalesce(json_agg(json_build_object(
                   'planId', plan_id, 'amount', amount::text,
                   'at', (extract(epoch FROM created_at) * 1000)::bigint)), '[]')
          FROM payment
          WHERE payment.account_id = account.account_id AND kind = 'fee'
            AND created_at >= to_timestamp($1::bigint / 1000.0)
            AND created_at < to_timestamp($2::bigint / 1000.0)) AS fees,
         (SELECT coalesce(json_agg(json_build_object(
                   'sequence', sequence, 'kind', kind, 'by', changed_by,
                   'at', (extract(epoch FROM changed_at) * 1000)::bigint, 'detail', detail)
                   ORDER BY sequence), '[]')
          FROM subscription_change AS change
          WHERE change.account_id = account.account_id
            AND kind IN ('subscribed', 'plan_changed', 'interval_changed')
            AND changed_at < to_timestamp($2::bigint / 1000.0)) AS changes
  FROM account
  WHERE ($3::text IS NULL OR account_id = $3)
    AND EXISTS (SELECT FROM schedule
                WHERE schedule.account_id = account.account_id AND subscriptions > 0)`;

/** In JSON amounts are decimal strings. */
type PlanRow = Omit<PlanBooks, "lots" | "fees"> & {
  readonly lots: readonly (Omit<PlanBooks["lots"][number], "credits"> & { credits: string })[];
  readonly fees: readonly (Omit<PlanBooks["fees"][number], "amount"> & { amount: string })[];
};

/** Reads the plan lots of each account that ever subscribed, and its fees in the range, in no order. */
export async function readPlansBetween(
  transaction: Transaction,
  { from, to, accountId }: ChargedRange,
  onPage: (books: readonly PlanBooks[]) => void,
): Promise<void> {
  const asked = { text: PLANS, values: [from, to, accountId] };
  await readPages<PlanRow>(transaction, asked, (rows) => onPage(rows.map(toPlanBooks)));
}

function toPlanBooks({ lots, fees, ...rest }: PlanRow): PlanBooks {
  return {
    ...rest,
    lots: lots.map((lot) => ({ ...lot, credits: BigInt(lot.credits) })),
    fees: fees.map((fee) => ({ ...fee, amount: BigInt(fee.amount) })),
  };
}

/** Runs a query through a cursor, with one page of rows in memory. */
async function readPages<Row extends object>(
  transaction: Transaction,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
  onPage: (rows: readonly Row[]) => void,
): Promise<void> {
  await transaction.query(`DECLARE page NO SCROLL CURSOR FOR ${text}`, [...values]);
  for (;;) {
    const rows = await queryRows<Row>(transaction, `FETCH ${PAGE} FROM page`);
    if (rows.length === 0) break;
    onPage(rows);
  }
  await transaction.query("CLOSE page");
}
