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
    records: (await transaction.query<FoundRecord>(RECORDS, [accountIds])).rows,
    draws: (await transaction.query<FoundDraw>(DRAWS, [accountIds])).rows,
    spend: (await transaction.query<FoundSpend>(SPEND, [accountIds])).rows,
    deadLetters: await countDeadLetters(transaction, accountIds),
  }));
}

const ACCOUNTS = `
  SELECT account_id AS "accountId", granted, position, crossings,
         (SELECT coalesce(json_agg(json_build_array(start_position::text, end_position::text)
                                   ORDER BY end_position, start_position), '[]')
          FROM lot
          WHERE lot.account_id = account.account_id) AS lots
  FROM account
  WHERE account_id = ANY($1)`;

type AccountRow = Omit<FoundAccount, "lots"> & {
  readonly accountId: string;
  readonly lots: readonly [start: string, end: string][];
};

async function readAccounts(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, FoundAccount>> {
  const { rows } = await transaction.query<AccountRow>(ACCOUNTS, [accountIds]);
  return new Map(
    rows.map(({ accountId, lots, ...account }) => [
      accountId,
      {
        ...account,
        lots: lots.map(([start, end]) => ({ start: BigInt(start), end: BigInt(end) })),
      },
    ]),
  );
}

const RECORDS = `
  SELECT event_id AS "eventId", account_id AS "accountId", meter, quantity, credits,
         start_position AS start
  FROM usage_record
  WHERE account_id = ANY($1)`;

const DRAWS = `
  SELECT account_id AS "accountId", start_position AS start, end_position AS "end",
         event_ids AS "eventIds"
  FROM draw
  WHERE account_id = ANY($1)`;

const SPEND = `
  SELECT account_id AS "accountId", meter, sum(events)::bigint AS events,
         sum(quantity)::bigint AS quantity, sum(credits)::bigint AS credits
  FROM spend
  WHERE account_id = ANY($1)
  GROUP BY account_id, meter`;

async function countDeadLetters(
  transaction: Transaction,
  accountIds: readonly string[],
): Promise<number> {
  const { rows } = await transaction.query<{ count: number }>(
    "SELECT count(*)::integer FROM dead_letter WHERE account_id = ANY($1)",
    [accountIds],
  );
  return rows[0]?.count ?? 0;
}
