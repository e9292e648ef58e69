import { createHash } from "node:crypto";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { requestedRetries } from "../../ledger/dead-letters/requested-retries.ts";
import type { Queryable } from "../../ledger/postgres/database.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import { claimedRetry } from "../codec/retry-header.ts";
import type { RecordsBatch } from "./batch-forms.ts";
import { messageAt } from "./decode-columns.ts";
import type { DecodedUsage } from "./decode-messages.ts";

interface Claim {
  readonly tooOld: DeadLetter;
  /** The dead letter that it claims to retry. */
  readonly place: DeadLetterPlace;
}

/**
 * The messages that may be older than the window, by `placeText`: they retry a dead letter whose retry was
 * requested, with its bytes. `decoded`: the batches, read without knowing of any. Headers are looked at only
 * of messages that are too old, and the books are asked only when one of these claims to be a retry.
 */
export async function findTrueRetries(
  database: Queryable,
  batches: readonly RecordsBatch[],
  decoded: DecodedUsage,
): Promise<ReadonlySet<string>> {
  const claims = decoded.runs.flatMap(({ deadLetters }, index) =>
    deadLetters.flatMap((letter) => claimOf(letter, batches[index]?.slices ?? [])),
  );
  if (claims.length === 0) return new Set();
  const digests = await requestedRetries(
    database,
    claims.map(({ place }) => place),
  );
  const isTrue = ({ tooOld, place }: Claim) =>
    digests.get(placeText(place))?.equals(sha256(tooOld.payload)) ?? false;
  return new Set(claims.filter(isTrue).map(({ tooOld }) => placeText(tooOld)));
}

function claimOf(letter: DeadLetter, slices: RecordsBatch["slices"]): Claim[] {
  if (letter.rejection.reason !== "too_long_ago") return [];
  const place = claimedRetry(messageAt(slices, letter.offset) ?? {});
  return place === null ? [] : [{ tooOld: letter, place }];
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
