import type { AccountId, Instant } from "../core/account.ts";
import type { MicroCredits, Stretch } from "../core/credit-line.ts";
import type { Transaction } from "./database.ts";

/** An add-on's charge and the stretch of the line that it drew. */
export interface ChargeRecord {
  /** Of its entry. */
  readonly sequence: bigint;
  readonly addOnId: string;
  readonly reference: string;
  readonly credits: MicroCredits;
  readonly drawn: Stretch;
  readonly dueAt: Instant;
}

/** The add-on, as `chargeAddOn` (core) has written it into the reference; its id may hold colons. */
const ADD_ON = "substring(reference FROM '^add-on:(.*):\\d+:\\d+:\\d+-\\d+$')";

/**
 * The charges that drew on [$2, $3): an entry's position is the line right after it. A lot that was
 * cut out of the line paid for nothing, also where a stretch lies across its place.
 */
const ACROSS = `
  FROM entry
  WHERE account_id = $1
    AND kind = 'add_on_charge'
    AND position > $2
    AND position + credits < $3
    AND $2::bigint < $3::bigint`;

const LIST_ACROSS = `
  SELECT sequence, ${ADD_ON}, reference, -credits, position,
         (extract(epoch FROM due_at) * 1000)::bigint
  ${ACROSS}
    AND position + credits > $4
  ORDER BY position
  LIMIT $5`;

type Row = [
  sequence: string,
  addOnId: string,
  reference: string,
  credits: string,
  position: string,
  dueAt: string,
];

/**
 * Up to `limit` charges that drew on a stretch of the line, oldest first, of those whose own stretch
 * starts after the position `after`.
 */
export async function chargesAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
  page: { readonly after: MicroCredits; readonly limit: number },
): Promise<ChargeRecord[]> {
  const { rows } = await transaction.query<Row>({
    text: LIST_ACROSS,
    values: [accountId, stretch.start, stretch.end, page.after, page.limit],
    rowMode: "array",
  });
  return rows.map(([sequence, addOnId, reference, credits, position, dueAt]) => ({
    sequence: BigInt(sequence),
    addOnId,
    reference,
    credits: BigInt(credits),
    drawn: { start: BigInt(position) - BigInt(credits), end: BigInt(position) },
    dueAt: Number(dueAt),
  }));
}

/** What a stretch of the line paid for of one add-on. */
export interface AddOnTotal {
  readonly addOnId: string;
  readonly charges: number;
  readonly credits: MicroCredits;
}

const TOTAL_ACROSS = `
  SELECT ${ADD_ON}, count(*)::integer, sum(least(position, $3) - greatest(position + credits, $2))
  ${ACROSS}
  GROUP BY 1
  ORDER BY 3 DESC, 1`;

/** What a stretch of the line paid for, by add-on, most first. */
export async function chargeTotalsAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
): Promise<AddOnTotal[]> {
  const { rows } = await transaction.query<[string, number, string]>({
    text: TOTAL_ACROSS,
    values: [accountId, stretch.start, stretch.end],
    rowMode: "array",
  });
  return rows.map(([addOnId, charges, credits]) => ({
    addOnId,
    charges,
    credits: BigInt(credits),
  }));
}
