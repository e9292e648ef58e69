import { TOPICS } from "../../core/text/topics.ts";
import { type DeadLetterToRetry, refuseRetry } from "../../ledger/dead-letters/to-retry.ts";
import type { Transaction } from "../../ledger/postgres/database.ts";
import { markDeadLetters } from "../../ledger/usage/dead-letters.ts";
import { isTooLarge } from "../client/kafka-client.ts";
import { retryHeaders } from "../codec/retry-header.ts";
import type { Publisher, RawMessage } from "./publisher.ts";

const TOO_LARGE =
  "with its header retry-of the message is larger than Kafka accepts; raise max.message.bytes of usage.events and retry it";

/**
 * Publishes dead letters as usage again, the same bytes under the same key, and marks them once Kafka
 * has acknowledged them. A message that first arrived compressed may be too large now: its retry is
 * refused with the reason, and the others are published.
 */
export async function republishDeadLetters(
  transaction: Transaction,
  publisher: Publisher,
  letters: readonly DeadLetterToRetry[],
): Promise<void> {
  if (await fits(publisher, letters)) {
    await markDeadLetters(transaction, letters, "retried");
    return;
  }
  for (const letter of letters) {
    if (await fits(publisher, [letter])) await markDeadLetters(transaction, [letter], "retried");
    else await refuseRetry(transaction, letter, TOO_LARGE);
  }
}

/** Publishes letters. False: one is too large; the others may or may not have been published. */
async function fits(publisher: Publisher, letters: readonly DeadLetterToRetry[]): Promise<boolean> {
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
