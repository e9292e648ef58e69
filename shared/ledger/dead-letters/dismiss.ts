import type { Refusal } from "../../core/line/refusal.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { type Database, inTransaction } from "../postgres/database.ts";
import { type DecisionScope, decideOpenLetters } from "./decide.ts";
import { type Dismissal, lockDeadLetter } from "./read.ts";

type DismissOutcome =
  | { readonly kind: "dismissed" }
  | Refusal<"unknown_dead_letter" | "already_dismissed" | "already_retried">;

const DISMISS = `
  UPDATE dead_letter
  SET dismissed_at = to_timestamp($4 / 1000.0), dismissed_by = $5, dismissed_reason = $6,
      retry_asked_at = NULL
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/** Dismisses an open dead letter, so that it is never metered. */
export async function dismissDeadLetter(
  database: Database,
  place: DeadLetterPlace,
  { at, by, reason }: Dismissal,
): Promise<DismissOutcome> {
  const { topic, partition, offset } = place;
  return inTransaction(database, async (transaction) => {
    const letter = await lockDeadLetter(transaction, place);
    const called = placeText(place);
    if (letter === null) return { kind: "unknown_dead_letter", place: called };
    const { dismissed, retriedAt } = letter;
    if (dismissed !== null) return { kind: "already_dismissed", place: called, ...dismissed };
    if (retriedAt !== null) return { kind: "already_retried", place: called, at: retriedAt };
    await transaction.query(DISMISS, [topic, partition, offset, at, by, reason]);
    return { kind: "dismissed" };
  });
}

/** Dismisses the open dead letters in scope, including those about to be retried; returns their number. */
export async function dismissDeadLetters(
  database: Database,
  asked: DecisionScope,
  { by, reason }: Pick<Dismissal, "by" | "reason">,
): Promise<number> {
  return decideOpenLetters(database, asked, {
    which: "true",
    set: `dismissed_at = to_timestamp($2 / 1000.0), dismissed_by = $7, dismissed_reason = $8,
          retry_asked_at = NULL`,
    values: [by, reason],
  });
}
