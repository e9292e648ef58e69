import { TOPICS } from "../../../shared/core/text/topics.ts";
import type { Books } from "../../support/books/books.ts";

/** A record for billing.holds as it waits in the outbox. */
interface Told {
  readonly sequence: string;
  readonly hold_id: string;
  readonly status: string;
  readonly asked: string;
  readonly credits: string;
  readonly held: string;
  readonly ended_at: number | null;
}

const TOLD = `
  SELECT record::json
  FROM outbox
  WHERE account_id = $1 AND topic = '${TOPICS.holds}'
  ORDER BY sequence`;

const GRANTED = "SELECT granted FROM account WHERE account_id = $1";

/**
 * Plays an account's records in their order, one by one, with a sum for each hold and no more: what was ever held
 * at once of an account that has drawn nothing, and what in its history cannot be.
 */
export async function toldOf({ database }: Books, accountId: string) {
  const { rows } = await database.query<{ record: Told }>(TOLD, [accountId]);
  const granted: bigint = (await database.query(GRANTED, [accountId])).rows[0]?.granted;
  const holds = new Map<string, bigint>();
  const ended = new Set<string>();
  const problems: string[] = [];
  let most = 0n;
  for (const [at, { record }] of rows.entries()) {
    const { hold_id: id, sequence } = record;
    const found = [
      ...(Number(sequence) === at + 1 ? [] : [`is record ${at + 1}`]),
      ...(ended.has(id) ? ["changed after its end"] : []),
      ...problemsOf(record, holds.get(id)),
    ];
    holds.set(id, BigInt(record.held));
    if (record.ended_at !== null) ended.add(id);
    const sum = sumOf(holds);
    if (sum > granted) found.push(`makes ${sum} of ${granted} held`);
    if (sum > most) most = sum;
    problems.push(...found.map((what) => `${sequence} ${id}: ${what}`));
  }
  return { problems, most, held: sumOf(holds), records: rows.length };
}

/** What of a hold's new state cannot be; `before`: what it set aside until then. */
function problemsOf({ status, asked, credits, held, ended_at }: Told, before: bigint | undefined) {
  const wrong = {
    "is not given whole": before === undefined && status === "open" && held !== credits,
    "is more than was asked for": BigInt(credits) > BigInt(asked),
    "sets more aside than before": before !== undefined && BigInt(held) > before,
    "has ended and sets aside": ended_at !== null && held !== "0",
  };
  return Object.entries(wrong).flatMap(([what, is]) => (is ? [what] : []));
}

function sumOf(holds: ReadonlyMap<string, bigint>): bigint {
  return [...holds.values()].reduce((total, each) => total + each, 0n);
}
