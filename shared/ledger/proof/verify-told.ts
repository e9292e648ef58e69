import type { AccountId, Entry, Instant } from "../../core/line/account.ts";
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
export interface ToldCount {
  readonly accountId: AccountId;
  readonly count: bigint;
  /** Null: none waits. */
  readonly firstWaiting: bigint | null;
}

const PAGE = 10_000;

/** The accounts that had records of a topic, page by page, in the order of their ids. */
export async function* readToldCounts(
  transaction: Transaction,
  topic: CountedTopic,
  accountId: string | null,
): AsyncGenerator<ToldCount[]> {
  const text = `
    SELECT account_id, told, (SELECT min(sequence) FROM outbox
                              WHERE outbox.account_id = counted.account_id AND topic = $1)
    FROM (${COUNTS[topic]}) AS counted
    WHERE told > 0 AND account_id > $2 AND ($3::text IS NULL OR account_id = $3)
    ORDER BY account_id
    LIMIT ${PAGE}`;
  for (let after = ""; ; ) {
    const { rows } = await transaction.query<[AccountId, string, string | null]>({
      text,
      values: [topic, after, accountId],
      rowMode: "array",
    });
    yield rows.map(([id, count, firstWaiting]) => ({
      accountId: id,
      count: BigInt(count),
      firstWaiting: firstWaiting === null ? null : BigInt(firstWaiting),
    }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last[0];
  }
}

const VERSIONS = `
  SELECT account_id, version
  FROM account
  WHERE account_id > $1 AND ($2::text IS NULL OR account_id = $2)
    AND version > 1
    AND NOT EXISTS (SELECT FROM waiting WHERE waiting.account_id = account.account_id)
  ORDER BY account_id
  LIMIT ${PAGE}`;

/** Versions of the accounts whose newest state is not waiting to be published, page by page. */
export async function* readToldVersions(
  transaction: Transaction,
  accountId: string | null,
): AsyncGenerator<{ accountId: AccountId; version: bigint }[]> {
  const text = `
    WITH waiting AS MATERIALIZED (
      SELECT DISTINCT account_id FROM balance_change, unnest(account_ids) AS account_id
    )${VERSIONS}`;
  for (let after = ""; ; ) {
    const { rows } = await transaction.query<[AccountId, string]>({
      text,
      values: [after, accountId],
      rowMode: "array",
    });
    yield rows.map(([id, version]) => ({ accountId: id, version: BigInt(version) }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last[0];
  }
}

/** An entry as its record on `billing.credits` tells it. */
export interface ToldEntry
  extends Pick<
    Entry,
    "accountId" | "sequence" | "kind" | "credits" | "lotId" | "reference" | "dueAt"
  > {
  readonly balance: MicroCredits;
  readonly postedAt: Instant;
}

const ENTRIES = `
  SELECT named.account_id, named.sequence, kind, credits,
         entry.granted - entry.position, lot_id, reference,
         (extract(epoch FROM due_at) * 1000)::bigint,
         (extract(epoch FROM posted_at) * 1000)::bigint
  FROM unnest($1::text[], $2::bigint[]) AS named (account_id, sequence)
  JOIN account USING (account_id)
  LEFT JOIN entry USING (account_id, sequence)`;

/**
 * The entries of these places as they are told, by `account/sequence`, null where the account has none;
 * nothing of accounts that the books do not have.
 */
export async function findToldEntries(
  transaction: Transaction,
  named: readonly { readonly accountId: string; readonly sequence: bigint }[],
): Promise<Map<string, ToldEntry | null>> {
  if (named.length === 0) return new Map();
  const { rows } = await transaction.query<
    [AccountId, string, Entry["kind"] | null, string, string, string | null, string, string, string]
  >({
    text: ENTRIES,
    values: [
      textArray(named.map(({ accountId }) => accountId)),
      bigintArray(named.map(({ sequence }) => sequence)),
    ],
    rowMode: "array",
  });
  return new Map(
    rows.map(([accountId, sequence, kind, credits, balance, lotId, reference, dueAt, postedAt]) => [
      `${accountId}/${sequence}`,
      kind && {
        ...{ accountId, sequence: BigInt(sequence), kind, credits: BigInt(credits) },
        ...{ balance: BigInt(balance), lotId, reference },
        ...{ dueAt: Number(dueAt), postedAt: Number(postedAt) },
      },
    ]),
  );
}
