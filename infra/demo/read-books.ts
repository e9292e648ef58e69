import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import type { Database, Transaction } from "../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../shared/ledger/postgres/read-snapshot.ts";

/** What Postgres holds of some accounts, all read at one instant. */
export interface FoundBooks {
  /** By account id. */
  readonly accounts: ReadonlyMap<string, FoundAccount>;
  readonly records: readonly FoundRecord[];
  readonly draws: readonly FoundDraw[];
  readonly spend: readonly FoundSpend[];
  readonly deadLetters: number;
}

export interface FoundAccount {
  readonly granted: MicroCredits;
  readonly position: MicroCredits;
  readonly crossings: bigint;
  /** Oldest first. */
  readonly lots: readonly { readonly start: MicroCredits; readonly end: MicroCredits }[];
}

export interface FoundRecord {
  readonly eventId: string;
  readonly accountId: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly credits: MicroCredits;
  readonly start: MicroCredits;
}

/** What one transaction drew of an account's line, and by which events. */
interface FoundDraw {
  readonly accountId: string;
  readonly start: MicroCredits;
  readonly end: MicroCredits;
  readonly eventIds: readonly string[];
}

/** An account's spend on a meter, over all hours. */
interface FoundSpend {
  readonly accountId: string;
  readonly meter: string;
  readonly events: bigint;
  readonly quantity: bigint;
  readonly credits: MicroCredits;
}

/**
 * Reads the books of these accounts, with plain SQL on the tables. It looks through all usage records
 * for theirs, so that one which nothing else points to is found too.
 */
export async function readBooks(
  database: Database,
  accountIds: readonly string[],
): Promise<FoundBooks> {
  return readSnapshot(database, async (transaction) => ({
    accounts: await readAccounts(transaction, accountIds),
    records: await readRecords(transaction, accountIds),
    draws: await readDraws(transaction, accountIds),
    spend: await readSpend(transaction, accountIds),
    deadLetters: await countDeadLetters(transaction, accountIds),
  }));
}

const ACCOUNTS = `
  SELECT account_id, granted, position, crossings,
         ARRAY(SELECT start_position::text FROM lot WHERE lot.account_id = account.account_id
               ORDER BY lot.end_position, lot.start_position),
         ARRAY(SELECT end_position::text FROM lot WHERE lot.account_id = account.account_id
               ORDER BY lot.end_position, lot.start_position)
  FROM account
  WHERE account_id = ANY($1)`;

async function readAccounts(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, FoundAccount>> {
  const { rows } = await transaction.query<[string, string, string, string, string[], string[]]>({
    text: ACCOUNTS,
    values: [accountIds],
    rowMode: "array",
  });
  return new Map(
    rows.map(([accountId, granted, position, crossings, starts, ends]) => [
      accountId,
      {
        granted: BigInt(granted),
        position: BigInt(position),
        crossings: BigInt(crossings),
        lots: starts.map((start, at) => ({ start: BigInt(start), end: BigInt(ends[at] ?? 0) })),
      },
    ]),
  );
}

const RECORDS = `
  SELECT event_id, account_id, meter, quantity, credits, start_position
  FROM usage_record
  WHERE account_id = ANY($1)`;

async function readRecords(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<FoundRecord[]> {
  const { rows } = await transaction.query<[string, string, string, string, string, string]>({
    text: RECORDS,
    values: [accountIds],
    rowMode: "array",
  });
  return rows.map(([eventId, accountId, meter, quantity, credits, start]) => ({
    ...{ eventId, accountId, meter },
    ...{ quantity: BigInt(quantity), credits: BigInt(credits), start: BigInt(start) },
  }));
}

const DRAWS = `
  SELECT account_id, start_position, end_position, event_ids
  FROM draw
  WHERE account_id = ANY($1)`;

async function readDraws(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<FoundDraw[]> {
  const { rows } = await transaction.query<[string, string, string, string[]]>({
    text: DRAWS,
    values: [accountIds],
    rowMode: "array",
  });
  return rows.map(([accountId, start, end, eventIds]) => {
    return { accountId, start: BigInt(start), end: BigInt(end), eventIds };
  });
}

const SPEND = `
  SELECT account_id, meter, sum(events), sum(quantity), sum(credits)
  FROM spend
  WHERE account_id = ANY($1)
  GROUP BY account_id, meter`;

async function readSpend(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<FoundSpend[]> {
  const { rows } = await transaction.query<[string, string, string, string, string]>({
    text: SPEND,
    values: [accountIds],
    rowMode: "array",
  });
  return rows.map(([accountId, meter, events, quantity, credits]) => ({
    ...{ accountId, meter },
    ...{ events: BigInt(events), quantity: BigInt(quantity), credits: BigInt(credits) },
  }));
}

async function countDeadLetters(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<number> {
  const { rows } = await transaction.query<[number]>({
    text: "SELECT count(*)::integer FROM dead_letter WHERE account_id = ANY($1)",
    values: [accountIds],
    rowMode: "array",
  });
  return rows[0]?.[0] ?? 0;
}
