import { TOPICS } from "../../core/text/topics.ts";
import { type DeadLetterToRetry, refuseRetry } from "../../ledger/dead-letters/to-retry.ts";
import type { Transaction } from "../../ledger/postgres/database.ts";
import { markDeadLetters } from "../../ledger/usage/dead-letters.ts";
import { retryHeaders } from "../codec/retry-header.ts";
import { acknowledged, publishEach } from "./publish-each.ts";
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
  const refused = await publishEach(publisher, letters, toMessage);
  await markDeadLetters(transaction, acknowledged(letters, refused), "retried");
  for (const { item } of refused) await refuseRetry(transaction, item, TOO_LARGE);
}

function toMessage(letter: DeadLetterToRetry): RawMessage {
  const { key, payload } = letter;
  return { topic: TOPICS.usageEvents, key, value: payload, headers: retryHeaders(letter) };
}
