import { readSchedules } from "../../shared/ledger/books/schedules.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { MonthAccount, MonthModel } from "../model/month-model.ts";

/**
 * The state of every account in the real books and in the model, in shared terms. Read by a few queries
 * for all accounts together.
 */

/** The state at a turn. `lots` are those with something left. */
export interface StandingTold {
  readonly balance: bigint;
  readonly timeZone: string;
  readonly lots: readonly string[];
  /** The number of entries posted and of low balances published. */
  readonly entries: number;
  readonly fees: number;
  readonly lowBalances: number;
  readonly subscriptions: number;
  readonly subscription: MonthAccount["subscription"];
  readonly addOns: MonthAccount["addOns"];
  readonly dueCharges: MonthAccount["dueCharges"];
}

/** Everything that ever existed. */
export interface WholeTold extends Omit<StandingTold, "entries" | "fees" | "lowBalances"> {
  readonly used: bigint;
  /** Oldest first. */
  readonly lots: readonly string[];
  /** In the order posted. */
  readonly entries: readonly string[];
  /** In the order in which they fell due, then by id. */
  readonly fees: readonly string[];
  readonly lowBalances: readonly string[];
}

export function standingByModel(model: MonthModel): Map<string, StandingTold> {
  return told(model, (account) => ({
    ...scheduleOf(account),
    balance: account.balance,
    timeZone: account.timeZone,
    lots: account.lots.filter(({ left }) => left > 0n).map(lotLine),
    entries: account.entries.length,
    fees: account.fees.length,
    lowBalances: account.lowBalances.length,
  }));
}

export function wholeByModel(model: MonthModel): Map<string, WholeTold> {
  return told(model, wholeOfModel);
}

/** One account of the model. */
export function wholeOfModel(account: MonthAccount): WholeTold {
  return {
    ...scheduleOf(account),
    balance: account.balance,
    timeZone: account.timeZone,
    used: account.used,
    lots: account.lots.map(lotLine),
    entries: account.entries.map(({ kind, credits, lotId, reference, dueAt }) =>
      entryLine([kind, credits, lotId, reference, dueAt]),
    ),
    fees: account.fees.map(feeLine),
    lowBalances: account.lowBalances.map(lowBalanceLine),
  };
}

export async function standingByBooks(database: Database): Promise<Map<string, StandingTold>> {
  const fees = await linesOf(database, FEE_COUNTS, ([count]) => String(count));
  return new Map(
    [...(await readBooks(database, true))].map(([id, { entries, crossings, ...rest }]) => [
      id,
      { ...rest, entries, fees: Number(fees.get(id)?.[0] ?? 0), lowBalances: crossings },
    ]),
  );
}

/** Low balances are those still in the outbox: read them before a relay publishes them. */
export async function wholeByBooks(database: Database): Promise<Map<string, WholeTold>> {
  const books = await readBooks(database, false);
  const entries = await linesOf(database, ENTRIES, entryLine);
  const fees = await linesOf(database, FEES, entryLine);
  const lowBalances = await linesOf(database, LOW_BALANCES, ([said]) => String(said));
  const used = await linesOf(database, USED, ([sum]) => String(sum));
  return new Map(
    [...books].map(([id, { entries: _, crossings: __, ...rest }]) => [
      id,
      {
        ...rest,
        used: BigInt(used.get(id)?.[0] ?? 0),
        entries: entries.get(id) ?? [],
        fees: fees.get(id) ?? [],
        lowBalances: lowBalances.get(id) ?? [],
      },
    ]),
  );
}

function told<T>(model: MonthModel, tell: (account: MonthAccount) => T): Map<string, T> {
  return new Map(model.accountIds().map((id) => [id, tell(model.account(id))]));
}

function scheduleOf({ subscription, subscriptions, addOns, dueCharges }: MonthAccount) {
  return { subscription, subscriptions, addOns, dueCharges };
}

export function lotLine(lot: MonthAccount["lots"][number]): string {
  return `${lot.lotId} ${lot.left} of ${lot.credits} ${lot.grantedAt}..${lot.expiresAt ?? ""}`;
}

/** A fee that was not charged yet. */
export function feeLine(fee: Omit<MonthAccount["fees"][number], "brings">): string {
  return entryLine([
    ...[fee.paymentId, fee.subscription, fee.period, fee.periods, fee.planId],
    ...[fee.amount, fee.currency, fee.dueAt, "to be charged since", fee.dueAt],
  ]);
}

export function lowBalanceLine({
  cause,
  balance,
  needed,
}: MonthAccount["lowBalances"][number]): string {
  return `${cause} at ${balance}, needed: ${needed}`;
}

export function entryLine(fields: readonly unknown[]): string {
  return fields.map((field) => String(field)).join(" ");
}

const ACCOUNTS = `
  SELECT account_id, granted - position, time_zone, entries, crossings FROM account`;

/** In the order in which they were granted: a lot cut out lies at the place of the next one. */
const LOTS = `
  SELECT account_id, lot_id, lot.credits,
         greatest(0, end_position - greatest(start_position, account.position)),
         extract(epoch FROM granted_at) * 1000, extract(epoch FROM expires_at) * 1000
  FROM account
  JOIN lot USING (account_id)
  JOIN entry USING (account_id, lot_id)
  WHERE kind = 'grant'
  ORDER BY account_id, sequence`;

const STANDING_LOTS = `
  SELECT account_id, lot_id, credits, end_position - greatest(start_position, position),
         extract(epoch FROM granted_at) * 1000, extract(epoch FROM expires_at) * 1000
  FROM account
  JOIN lot USING (account_id)
  WHERE end_position > greatest(start_position, position)
  ORDER BY account_id, start_position`;

const ENTRIES = `
  SELECT account_id, kind, credits, lot_id, reference, (extract(epoch FROM due_at) * 1000)::bigint
  FROM entry
  ORDER BY account_id, sequence`;

const FEE_COUNTS = `
  SELECT account_id, count(*) FROM payment WHERE kind = 'fee' GROUP BY account_id`;

const FEES = `
  SELECT account_id, payment_id, subscription, period, periods, plan_id, amount, currency,
         (extract(epoch FROM created_at) * 1000)::bigint,
         CASE WHEN (status, attempt, calls, reason) = ('pending', 1, 0, '') AND gateway IS NULL
                   AND attempted_at = created_at AND settled_at IS NULL
              THEN 'to be charged since' END,
         (extract(epoch FROM next_try_at) * 1000)::bigint
  FROM payment
  WHERE kind = 'fee'
  ORDER BY account_id, created_at, payment_id`;

const LOW_BALANCES = `
  SELECT account_id, concat(record::json->>'cause', ' at ', record::json->>'balance', ', needed: ',
                           record::json->>'needed')
  FROM outbox
  WHERE topic = 'billing.low-balance'
  ORDER BY account_id, sequence`;

const USED = "SELECT account_id, sum(credits) FROM usage_record GROUP BY account_id";

async function readBooks(database: Database, standingOnly: boolean) {
  const accounts = await rowsOf(database, ACCOUNTS);
  const schedules = await readSchedules(
    database,
    accounts.map(([id]) => String(id)),
  );
  const lots = await linesOf(database, standingOnly ? STANDING_LOTS : LOTS, bookLotLine);
  return new Map(
    accounts.map(([accountId, balance, timeZone, entries, crossings]) => {
      const id = String(accountId);
      const { subscription, subscriptions, addOns, dueCharges } = schedules.get(id) ?? NONE;
      const standing = {
        subscription,
        subscriptions,
        addOns,
        dueCharges: dueCharges.map(({ number, ...due }) => ({ ...due, subscription: number })),
        balance: BigInt(String(balance)),
        timeZone: String(timeZone),
        lots: lots.get(id) ?? [],
        entries: Number(entries),
        crossings: Number(crossings),
      };
      return [id, standing] as const;
    }),
  );
}

const NONE = { subscription: null, subscriptions: 0, addOns: [], dueCharges: [] };

function bookLotLine([lotId, credits, left, granted, ends]: readonly unknown[]): string {
  return `${lotId} ${left} of ${credits} ${Number(granted)}..${ends === null ? "" : Number(ends)}`;
}

async function linesOf(
  database: Database,
  text: string,
  line: (fields: readonly unknown[]) => string,
): Promise<Map<string, string[]>> {
  const lines = new Map<string, string[]>();
  for (const [accountId, ...fields] of await rowsOf(database, text)) {
    const id = String(accountId);
    const before = lines.get(id);
    if (before === undefined) lines.set(id, [line(fields)]);
    else before.push(line(fields));
  }
  return lines;
}

async function rowsOf(database: Database, text: string): Promise<unknown[][]> {
  const { rows } = await database.query<unknown[]>({ text, rowMode: "array" });
  return rows;
}
