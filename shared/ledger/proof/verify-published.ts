import type { Account, AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { TOPICS } from "../../core/text/topics.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

/** Topics whose records count up for each account, and where the books keep the count. */
export const COUNTED_TOPICS = [TOPICS.credits, TOPICS.lowBalance, TOPICS.topUps] as const;

export type CountedTopic = (typeof COUNTED_TOPICS)[number];

const COUNTS: Record<CountedTopic, string> = {
  [TOPICS.credits]: "SELECT account_id, entries AS told FROM account",
  [TOPICS.lowBalance]: "SELECT account_id, crossings AS told FROM account",
  [TOPICS.topUps]: "SELECT account_id, told FROM auto_top_up",
};

/** How many records of a topic an account has had, and the first of those that wait in the outbox. */
export interface RecordCount {
  readonly accountId: AccountId;
  readonly count: bigint;
  /** Null: none waits. */
  readonly firstWaiting: bigint | null;
}

const PAGE = 10_000;

/** The accounts that had records of a topic, page by page, in the order of their ids. */
export async function* readRecordCounts(
  transaction: Transaction,
  topic: CountedTopic,
  accountId: string | null,
): AsyncGenerator<RecordCount[]> {
  const text = `
    SELECT account_id AS "accountId", told AS count,
           (SELECT min(sequence) FROM outbox
            WHERE outbox.account_id = counted.account_id AND topic = $1) AS "firstWaiting"
    FROM (${COUNTS[topic]}) AS counted
    WHERE told > 0 AND account_id > $2 AND ($3::text IS NULL OR account_id = $3)
    ORDER BY account_id
    LIMIT ${PAGE}`;
  for (let after = ""; ; ) {
    const { rows } = await transaction.query<RecordCount>(text, [topic, after, accountId]);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.accountId;
  }
}

const VERSIONS = `
  SELECT account_id AS "accountId", version
  FROM account
  WHERE account_id > $1 AND ($2::text IS NULL OR account_id = $2)
    AND version > 1
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
  for (let after = ""; ; ) {
    const { rows } = await transaction.query<Pick<Account, "accountId" | "version">>(text, [
      after,
      accountId,
    ]);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.accountId;
  }
}

/** An entry as its record on `billing.credits` tells it. */
export interface PublishedEntry
  extends Pick<
    Entry,
    "accountId" | "sequence" | "kind" | "credits" | "lotId" | "reference" | "dueAt"
  > {
  readonly balance: MicroCredits;
  readonly postedAt: Instant;
}

/** Where the account has no such entry, its kind and what follows are null. */
type EntryRow = Omit<PublishedEntry, "kind"> & { readonly kind: Entry["kind"] | null };

const ENTRIES = `
  SELECT named.account_id AS "accountId", named.sequence, kind, credits,
         entry.granted - entry.position AS balance, lot_id AS "lotId", reference,
         due_at AS "dueAt", posted_at AS "postedAt"
  FROM unnest($1::text[], $2::bigint[]) AS named (account_id, sequence)
  JOIN account USING (account_id)
  LEFT JOIN entry USING (account_id, sequence)`;

/**
 * The entries of these places as they are told, by `account/sequence`, null where the account has none;
 * nothing of accounts that the books do not have.
 */
export async function findEntries(
  transaction: Transaction,
  named: readonly { readonly accountId: string; readonly sequence: bigint }[],
): Promise<Map<string, PublishedEntry | null>> {
  if (named.length === 0) return new Map();
  const { rows } = await transaction.query<EntryRow>(ENTRIES, [
    textArray(named.map(({ accountId }) => accountId)),
    bigintArray(named.map(({ sequence }) => sequence)),
  ]);
  return new Map(
    rows.map(({ kind, ...told }) => [
      `${told.accountId}/${told.sequence}`,
      kind && { ...told, kind },
    ]),
  );
}
