import { overlapOf, remainingOf, type Stretch } from "../../../shared/core/line/credit-line.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Model } from "../../model/reference-model.ts";

/** The state of an account, in terms shared by the real books and the reference model. */
export interface AccountTold {
  readonly balance: bigint;
  readonly used: bigint;
  readonly entries: bigint;
  readonly lots: readonly { lotId: string; credits: bigint; left: bigint }[];
  /** By event id and source: its cost, and what each lot paid of it. */
  readonly records: Readonly<
    Record<string, { credits: bigint; unpaid: bigint; paidBy: Record<string, bigint> }>
  >;
  readonly expiries: readonly { lotId: string; credits: bigint }[];
  /** Including those not yet published. */
  readonly lowBalances: readonly { cause: string; balance: bigint; needed: boolean }[];
}

export function toldByModel(model: Model, accountId: string): AccountTold {
  const { balance, used, entries, lots, records, expiries, lowBalances } = model.account(accountId);
  return {
    balance,
    used,
    entries,
    lots: lots.map(({ lotId, credits, left }) => ({ lotId, credits, left })),
    records: Object.fromEntries(
      records.map(({ eventId, source, credits, unpaid, paidBy }) => [
        nameOf(eventId, source),
        { credits, unpaid, paidBy: Object.fromEntries(paidBy) },
      ]),
    ),
    expiries: expiries.map(({ lotId, credits }) => ({ lotId, credits })),
    lowBalances: lowBalances.map(({ cause, balance: low, needed }) => ({
      cause,
      balance: low,
      needed,
    })),
  };
}

/** `lowBalances` are those still in the outbox: read them before a relay publishes them. */
export async function toldByBooks(database: Database, accountId: string): Promise<AccountTold> {
  const { account, lots, records, entries, late, outbox } = await readRows(database, accountId);
  if (account === undefined) throw new Error(`the books have no account ${accountId}`);
  const { position } = account;
  return {
    balance: account.granted - position,
    used: records.reduce((sum, record) => sum + record.credits, 0n),
    entries: account.entries,
    lots: lots.map((lot) => ({
      lotId: lot.id,
      credits: lot.credits,
      left: remainingOf(lot, position),
    })),
    records: Object.fromEntries(
      wholeEvents(records).map(({ id, source, start, credits, back }) => {
        const name = nameOf(id, source);
        const { unpaid, paidBy } = paymentOf({ start, end: start + credits - back }, lots);
        for (const gave of late) {
          if (gave.reference === `late:${name}`) paidBy[gave.id] = gave.credits;
        }
        return [name, { credits, unpaid, paidBy }];
      }),
    ),
    expiries: entries.map(({ id, credits }) => ({ lotId: id, credits: -credits })),
    lowBalances: outbox.map(({ record }) => {
      type Low = { cause: string; balance: string; needed: boolean };
      const { cause, balance, needed } = JSON.parse(record) as Low;
      return { cause, balance: BigInt(balance), needed };
    }),
  };
}

/** The rows of an event, one for each of its meters, as one. */
function wholeEvents<
  R extends { id: string; source: string; start: bigint; credits: bigint; back: bigint },
>(rows: readonly R[]): R[] {
  const events = new Map<string, R>();
  for (const row of rows) {
    const before = events.get(nameOf(row.id, row.source));
    const credits = row.credits + (before?.credits ?? 0n);
    const back = row.back + (before?.back ?? 0n);
    const start = before === undefined || row.start < before.start ? row.start : before.start;
    events.set(nameOf(row.id, row.source), { ...row, start, credits, back });
  }
  return [...events.values()];
}

function nameOf(eventId: string, source: string): string {
  return source === "" ? eventId : `${eventId} of ${source}`;
}

function paymentOf(
  drawn: Stretch,
  lots: readonly (Stretch & { id: string })[],
): { unpaid: bigint; paidBy: Record<string, bigint> } {
  const paidBy: Record<string, bigint> = {};
  let unpaid = drawn.end - drawn.start;
  for (const lot of lots) {
    const paid = overlapOf(lot, drawn);
    if (paid === 0n) continue;
    paidBy[lot.id] = paid;
    unpaid -= paid;
  }
  return { unpaid, paidBy };
}

async function readRows(database: Database, accountId: string) {
  const read = async <R extends object>(text: string): Promise<R[]> =>
    (await database.query<R>(text, [accountId])).rows;
  const [account] = await read<{ granted: bigint; position: bigint; entries: bigint }>(
    "SELECT granted, position, entries FROM account WHERE account_id = $1",
  );
  return {
    account,
    // In the order in which they were granted: a lot cut out lies at the place of the next one.
    lots: await read<{ id: string; credits: bigint; start: bigint; end: bigint }>(
      `SELECT lot.lot_id AS id, lot.credits, start_position AS start, end_position AS end
       FROM lot JOIN entry USING (account_id, lot_id)
       WHERE account_id = $1 AND kind = 'grant' ORDER BY sequence`,
    ),
    records: await read<{
      id: string;
      source: string;
      credits: bigint;
      start: bigint;
      back: bigint;
    }>(
      `SELECT event_id AS id, source, credits, start_position AS start, coalesce(given_back, 0) AS back
       FROM usage_record WHERE account_id = $1`,
    ),
    entries: await read<{ id: string; credits: bigint }>(
      `SELECT lot_id AS id, credits
       FROM entry WHERE account_id = $1 AND kind = 'expiry' ORDER BY sequence`,
    ),
    late: await read<{ id: string; credits: bigint; reference: string }>(
      `SELECT lot_id AS id, credits, reference
       FROM entry WHERE account_id = $1 AND kind = 'reversal' AND credits > 0`,
    ),
    outbox: await read<{ record: string }>(
      `SELECT record FROM outbox
       WHERE account_id = $1 AND topic = 'billing.low-balance' ORDER BY sequence`,
    ),
  };
}
