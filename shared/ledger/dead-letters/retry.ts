import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { type Database, inTransaction, queryRow, type Transaction } from "../postgres/database.ts";
import { OPEN } from "../usage/dead-letters.ts";
import { type DecisionScope, decideOpenLetters } from "./decide.ts";
import { lockDeadLetter } from "./read.ts";

type RetryOutcome =
  | { readonly kind: "asked" }
  /** It is about to be published already. */
  | { readonly kind: "asked_already" }
  | Refusal<"unknown_dead_letter" | "already_dismissed" | "no_payload" | "payload_cut">;

const ASK = `
  UPDATE dead_letter
  SET retry_asked_at = to_timestamp($4 / 1000.0), retry_asked_by = $5, retried_at = NULL,
      retry_refused = NULL
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/**
 * Requests that the relay publishes a dead letter again, unchanged; `by`: who requested it. However often
 * that happens, the event's identity ensures that it is metered once.
 */
export async function retryDeadLetter(
  database: Database,
  place: DeadLetterPlace,
  now: Instant,
  by: string | null = null,
): Promise<RetryOutcome> {
  return inTransaction(database, (transaction) => requestRetry(transaction, place, now, by));
}

/** The same within a transaction. */
export async function requestRetry(
  transaction: Transaction,
  place: DeadLetterPlace,
  now: Instant,
  by: string | null = null,
): Promise<RetryOutcome> {
  const letter = await lockDeadLetter(transaction, place);
  const called = placeText(place);
  if (letter === null) return { kind: "unknown_dead_letter", place: called };
  const { state, payload, payloadSize, dismissed, detail } = letter;
  if (dismissed !== null) return { kind: "already_dismissed", place: called, ...dismissed };
  if (payload.length === 0) return { kind: "no_payload", place: called, detail };
  if (payloadSize !== null) return { kind: "payload_cut", place: called, size: payloadSize };
  if (state === "retrying") return { kind: "asked_already" };
  await transaction.query(ASK, [place.topic, place.partition, place.offset, now, by]);
  return { kind: "asked" };
}

/** How many open dead letters are retried, and how many cannot be. */
export interface Retried {
  readonly kind: "asked";
  readonly asked: number;
  /** To be published already. */
  readonly askedAlready: number;
  readonly withoutBytes: number;
  /** Too large to be kept whole. */
  readonly cut: number;
}

const COUNT = `
  SELECT count(*) FILTER (WHERE retry_asked_at IS NOT NULL)::integer AS "askedAlready",
         count(*) FILTER (WHERE octet_length(payload) = 0)::integer AS "withoutBytes",
         count(payload_size)::integer AS cut
  FROM dead_letter
  WHERE ${OPEN}
    AND ($1::text IS NULL OR reason = $1)
    AND recorded_at <= to_timestamp($2 / 1000.0)`;

const NONE = { askedAlready: 0, withoutBytes: 0, cut: 0 };

/** Requests a retry of all open dead letters in scope; refused if none can be published again. */
export async function retryDeadLetters(
  database: Database,
  asked: DecisionScope,
  by: string | null = null,
): Promise<Retried | Refusal<"no_dead_letters" | "none_to_retry">> {
  const values = [asked.reason, asked.now];
  const rest = await queryRow<Omit<Retried, "kind" | "asked">>(database, COUNT, values);
  const count = await decideOpenLetters(database, asked, {
    which: "retry_asked_at IS NULL AND octet_length(payload) > 0 AND payload_size IS NULL",
    set: "retry_asked_at = to_timestamp($2 / 1000.0), retry_asked_by = $7, retry_refused = NULL",
    values: [by],
  });
  const { askedAlready, withoutBytes, cut } = rest ?? NONE;
  if (count + askedAlready > 0)
    return { kind: "asked", asked: count, askedAlready, withoutBytes, cut };
  return withoutBytes + cut === 0
    ? { kind: "no_dead_letters", reason: asked.reason }
    : { kind: "none_to_retry", withoutBytes, cut };
}
