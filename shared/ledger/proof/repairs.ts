import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { textArray } from "../postgres/array-literal.ts";
import type { Queryable, Transaction } from "../postgres/database.ts";

/** Which difference is repaired, and who says so. */
export interface Repair {
  readonly accountId: string;
  /** The difference's identity within the account. */
  readonly difference: string;
  readonly what: string;
  readonly by: string;
  readonly at: Instant;
  /** How far position was ahead of all that was drawn, where an entry answers that. */
  readonly lineBy?: MicroCredits;
  /** What stood there before, for whoever asks later. */
  readonly detail: unknown;
}

const NOTE = `
  INSERT INTO repair (account_id, difference, repaired_at, repaired_by, what, line_by, detail)
  VALUES ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7)
  ON CONFLICT DO NOTHING`;

/** Notes a repair, in the transaction that does it or after one that can be asked for again. */
export async function recordRepair(
  transaction: Queryable,
  { accountId, difference, at, by, what, lineBy = 0n, detail }: Repair,
): Promise<void> {
  const json = JSON.stringify(detail, amountsAsText);
  await transaction.query(NOTE, [accountId, difference, at, by, what, lineBy, json]);
}

const FIND = `
  SELECT account_id AS "accountId", difference
  FROM unnest($1::text[], $2::text[]) AS named (account_id, difference)
  JOIN repair USING (account_id, difference)`;

/** Which of these differences were repaired, as `account/difference`. */
export async function findRepairs(
  transaction: Transaction,
  named: readonly { readonly accountId: string; readonly difference: string }[],
): Promise<Set<string>> {
  if (named.length === 0) return new Set();
  const { rows } = await transaction.query<Pick<Repair, "accountId" | "difference">>(FIND, [
    textArray(named.map(({ accountId }) => accountId)),
    textArray(named.map(({ difference }) => difference)),
  ]);
  return new Set(rows.map(({ accountId, difference }) => `${accountId}/${difference}`));
}
