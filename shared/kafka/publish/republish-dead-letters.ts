import { TOPICS } from "../../core/text/topics.ts";
import {
  type DeadLetterToRetry,
  markDeadLettersRetried,
  refuseRetry,
} from "../../ledger/dead-letters/to-retry.ts";
import type { Transaction } from "../../ledger/postgres/database.ts";
import { isTooLarge } from "../client/kafka-client.ts";
import { retryHeaders } from "../codec/retry-header.ts";
import type { Publisher, RawMessage } from "./publisher.ts";

const TOO_LARGE =
  "Kafka takes no message as large as this one with its header retry-of; raise max.message.bytes of usage.events and retry it";

/**
 * Publishes dead letters as usage again, the same bytes under the same key, and marks them once Kafka
 * has acknowledged them. A message that arrived compressed may be too large now: its retry is refused
 * with the reason, and does not hold up the others.
 */
export async function republishDeadLetters(
  transaction: Transaction,
  publisher: Publisher,
  letters: readonly DeadLetterToRetry[],
): Promise<void> {
  if (await isTaken(publisher, letters)) {
    await markDeadLettersRetried(transaction, letters);
    return;
  }
  for (const letter of letters) {
    if (await isTaken(publisher, [letter])) await markDeadLettersRetried(transaction, [letter]);
    else await refuseRetry(transaction, letter, TOO_LARGE);
  }
}

/** False: one of them is too large; the others may or may not be written. */
async function isTaken(
  publisher: Publisher,
  letters: readonly DeadLetterToRetry[],
): Promise<boolean> {
  try {
    await publisher.publish(letters.map(toMessage));
    return true;
  } catch (error) {
    if (isTooLarge(error)) return false;
    throw error;
  }
}

function toMessage(letter: DeadLetterToRetry): RawMessage {
  const { key, payload } = letter;
  return { topic: TOPICS.usageEvents, key, value: payload, headers: retryHeaders(letter) };
}
