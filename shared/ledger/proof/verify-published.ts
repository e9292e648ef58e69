import type { Account, AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { TOPICS } from "../../core/text/topics.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { readPages } from "../postgres/read-pages.ts";

/** Topics whose records are numbered per account without gaps. */
export const COUNTED_TOPICS = [
  TOPICS.credits,
  TOPICS.lowBalance,
  TOPICS.topUps,
  TOPICS.payments,
  TOPICS.holds,
  TOPICS.alerts,
] as const;

export type CountedTopic = (typeof COUNTED_TOPICS)[number];

const COUNTS: Record<CountedTopic, string> = {
  [TOPICS.credits]: "SELECT account_id, entries AS told FROM account",
  [TOPICS.lowBalance]: "SELECT account_id, crossings AS told FROM account",
  [TOPICS.topUps]: "SELECT account_id, told FROM auto_top_up",
  [TOPICS.payments]: "SELECT account_id, records AS told FROM payments_published",
  [TOPICS.holds]: "SELECT account_id, hold_changes AS told FROM account",
  [TOPICS.alerts]: "SELECT account_id, alerts AS told FROM account",
};

/** How many records an account has on a topic, and the first one that waits in the outbox and is not refused. */
export interface RecordCount {
  readonly accountId: AccountId;
  readonly count: bigint;
  /** Null: none. */
  readonly firstWaiting: bigint | null;
}

const PAGE = 10_000;

/** The accounts that have records on a topic, page by page, in id order. */
export async function* readRecordCounts(
  transaction: Transaction,
  topic: CountedTopic,
  accountId: string | null,
): AsyncGenerator<RecordCount[]> {
  const text = `
    SELECT account_id AS "accountId", told AS count,
           (SELECT min(sequence) FROM outbox
            WHERE outbox.account_id = counted.account_id AND topic = $1
              AND refused IS NULL) AS "firstWaiting"
    FROM (${COUNTS[topic]}) AS counted
    WHERE told > 0 AND account_id > $2 AND ($3::text IS NULL OR account_id = $3)
    ORDER BY account_id
    LIMIT ${PAGE}`;
  yield* readPages<RecordCount>(PAGE, (last) =>
    transaction.query(text, [topic, last?.accountId ?? "", accountId]),
  );
}

const VERSIONS = `
  SELECT account_id AS "accountId", version + hold_changes AS version
  FROM account
  WHERE account_id > $1 AND ($2::text IS NULL OR account_id = $2)
    AND version + hold_changes > 1
    AND NOT EXISTS (SELECT FROM waiting WHERE waiting.account_id = account.account_id)
  ORDER BY account_id
  LIMIT ${PAGE}`;

/** Versions of the accounts whose newest state is not waiting to be published, page by page. */
export async function* readPublishedVersions(
  transaction: Transaction,
  accountId: string | null,
): AsyncGenerator<Pick<Account, "accountId" | "version">[]> {
  const text = `
    WITH waiting AS MATERIALIZED (
      SELECT DISTINCT account_id FROM balance_change, unnest(account_ids) AS account_id
    )${VERSIONS}`;
  yield* readPages<Pick<Account, "accountId" | "version">>(PAGE, (last) =>
    transaction.query(text, [last?.accountId ?? "", accountId]),
  );
}

/** The fields of an entry that its record on `billing.credits` has. */
export interface PublishedEntry
  extends Pick<
    Entry,
    "accountId" | "sequence" | "kind" | "credits" | "lotId" | "reference" | "dueAt"
  > {
  readonly balance: MicroCredits;
  readonly postedAt: Instant;
}

/** Where the account has no such entry, its kind and what follows are null. */
type EntryRow = Omit<PublishedEntry, "kind"> & {
  readonly kind: Entry["kind"] | null;
  readonly isCounted: boolean;
};

/** An entry that the books lack: the account has counted it, or has never had as many entries. */
export type LackedEntry = Pick<EntryRow, "isCounted">;

const ENTRIES = `
  SELECT named.account_id AS "accountId", named.sequence, account.entries >= named.sequence AS "isCounted", kind, credits,
         entry.granted - entry.position AS balance, lot_id AS "lotId", reference,
         due_at AS "dueAt", posted_at AS "postedAt"
  FROM unnest($1::text[], $2::bigint[]) AS named (account_id, sequence)
  JOIN account USING (account_id)
  LEFT JOIN entry USING (account_id, sequence)`;

/**
 * Entries in the form in which they are published, by `account/sequence`. Unknown accounts are left out.
 */
export async function findEntries(
  transaction: Transaction,
  named: readonly { readonly accountId: string; readonly sequence: bigint }[],
): Promise<Map<string, PublishedEntry | LackedEntry>> {
  if (named.length === 0) return new Map();
  const values = columnsOf(named, "accountId", "sequence");
  const rows = await queryRows<EntryRow>(transaction, ENTRIES, values);
  return new Map(
    rows.map(({ kind, isCounted, ...told }) => [
      `${told.accountId}/${told.sequence}`,
      kind === null ? { isCounted } : { ...told, kind },
    ]),
  );
}

const ACCOUNTS = `SELECT account_id AS "accountId" FROM account WHERE account_id = ANY($1::text[])`;

/** Those of the named accounts that exist. */
export async function findAccounts(
  transaction: Transaction,
  named: readonly { readonly accountId: AccountId }[],
): Promise<Set<AccountId>> {
  if (named.length === 0) return new Set();
  const ids = textArray(named.map(({ accountId }) => accountId));
  const rows = await queryRows<{ accountId: AccountId }>(transaction, ACCOUNTS, [ids]);
  return new Set(rows.map(({ accountId }) => accountId));
}
