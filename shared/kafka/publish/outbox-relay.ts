import { TOPICS } from "../../core/text/topics.ts";
import { takeDeadLettersToRetry } from "../../ledger/dead-letters/to-retry.ts";
import {
  becomeRelay,
  deleteFromOutbox,
  type OutboxRecord,
  refuseInOutbox,
  takeFromOutbox,
} from "../../ledger/outbox/outbox.ts";
import { waitsForRelay } from "../../ledger/outbox/waits-for-relay.ts";
import { type Database, inTransaction, type Transaction } from "../../ledger/postgres/database.ts";
import { cutPayload } from "../../ledger/usage/cut-message.ts";
import {
  markDeadLetters,
  refuseDeadLetter,
  takeDeadLetters,
  type UnpublishedDeadLetter,
} from "../../ledger/usage/dead-letters.ts";
import { acknowledged, publishEach } from "./publish-each.ts";
import { type PublishTrace, UNTRACED } from "./publish-traces.ts";
import type { Outgoing, Publisher } from "./publisher.ts";
import { republishDeadLetters } from "./republish-dead-letters.ts";

const RECORDS_AT_ONCE = 1000;
// Dead letters carry their payload, which may be as large as a message may be.
const DEAD_LETTERS_AT_ONCE = 100;

/**
 * Publishes the outbox in order per account and topic, new dead letters, and dead letters to retry (as
 * usage). They are deleted or marked in the transaction that read them, after Kafka has acknowledged
 * them: a relay that is killed in between publishes them again, with the same sequences. What Kafka
 * refuses stays with the reason, and holds up nothing. One relay runs at a time, which keeps the order.
 * Returns true when there may be more.
 */
export async function relayOutbox(
  database: Database,
  publisher: Publisher,
  trace = UNTRACED,
): Promise<boolean> {
  if (!(await waitsForRelay(database))) return false;
  return inTransaction(database, async (transaction) => {
    if (!(await becomeRelay(transaction))) return false;
    const records = await takeFromOutbox(transaction, RECORDS_AT_ONCE);
    const letters = await takeDeadLetters(transaction, DEAD_LETTERS_AT_ONCE);
    const retries = await takeDeadLettersToRetry(transaction, DEAD_LETTERS_AT_ONCE);
    if (records.length > 0) await publishRecords(transaction, publisher, records, trace);
    if (letters.length > 0) await publishDeadLetters(transaction, publisher, letters, trace);
    if (retries.length > 0) await republishDeadLetters(transaction, publisher, retries);
    return (
      records.length === RECORDS_AT_ONCE ||
      letters.length === DEAD_LETTERS_AT_ONCE ||
      retries.length === DEAD_LETTERS_AT_ONCE
    );
  });
}

async function publishRecords(
  transaction: Transaction,
  publisher: Publisher,
  records: readonly OutboxRecord[],
  trace: PublishTrace,
): Promise<void> {
  const traceparent = trace.publishing(records.length);
  const refused = await publishEach(publisher, records, (record) => ({
    ...record,
    key: record.accountId,
    traceparent,
  }));
  await deleteFromOutbox(transaction, acknowledged(records, refused));
  for (const { item, why } of refused) await refuseInOutbox(transaction, item, why);
}

/** A letter that the topic refuses for its size is published with its payload cut. */
async function publishDeadLetters(
  transaction: Transaction,
  publisher: Publisher,
  letters: readonly UnpublishedDeadLetter[],
  trace: PublishTrace,
): Promise<void> {
  const traceparent = trace.publishing(letters.length);
  const toTraced = (letter: UnpublishedDeadLetter) => ({ ...toOutgoing(letter), traceparent });
  const tooLarge = await publishEach(publisher, letters, toTraced);
  const refused = await publishEach(publisher, tooLarge, ({ item }) =>
    toTraced({ ...item, ...cutPayload(item) }),
  );
  const without = refused.map(({ item: { item }, why }) => ({ item, why }));
  await markDeadLetters(transaction, acknowledged(letters, without), "published");
  for (const { item, why } of without) await refuseDeadLetter(transaction, item, why);
}

function toOutgoing(letter: UnpublishedDeadLetter): Outgoing {
  return {
    topic: TOPICS.deadLetters,
    key: letter.accountId,
    sequence: null,
    record: {
      topic: letter.topic,
      partition: letter.partition,
      offset: letter.offset,
      account_id: letter.accountId,
      reason: letter.rejection.reason,
      detail: letter.rejection.detail,
      payload: letter.payload,
      recorded_at: letter.recordedAt,
      payload_size: letter.whole?.size ?? null,
      payload_sha256: letter.whole?.sha256.toString("hex") ?? null,
    },
  };
}
