import type { Admin } from "kafkajs";
import type { Instant } from "../../shared/core/line/account.ts";
import { plainColumns } from "../../shared/core/usage/usage-columns.ts";
import type { OffsetStretch } from "../../shared/kafka/consume/batch-forms.ts";
import type { DecodedUsage } from "../../shared/kafka/consume/decode-messages.ts";
import { NOTHING } from "../../shared/kafka/consume/read-message.ts";
import type { RunOutcome, UsageRun } from "../../shared/ledger/usage/batch.ts";
import type { DeadLetter } from "../../shared/ledger/usage/dead-letters.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { TopicRecreated } from "./watch-topic.ts";

/** What tells where a partition begins and ends by now. */
type Topics = Pick<Admin, "fetchTopicOffsets">;

/**
 * The offset to read next, after a batch that was committed or of which the books have read on. Throws
 * TopicRecreated where the partition ends before what the books have read.
 */
export async function nextOffset(
  admin: Topics,
  batch: OffsetStretch,
  result?: Exclude<RunOutcome, { kind: "gap" }>,
): Promise<bigint> {
  const { topic, partition } = batch;
  if (result === undefined) throw new Error(`no outcome for partition ${partition}`);
  if (result.kind === "committed") return batch.nextOffset;
  // A batch that waited long was fetched before others read on: the topic is longer than it says.
  if (result.nextOffset > batch.highWatermark) {
    const high = BigInt((await endsOf(admin, batch))?.high ?? 0);
    if (result.nextOffset > high) {
      throw new TopicRecreated(
        `${topic}/${partition} ends at ${high}, but the books have read up to ${result.nextOffset}`,
      );
    }
  }
  return result.nextOffset;
}

/**
 * If retention has deleted messages before they were read, the books skip them with a dead letter,
 * the only trace of them. Null if they still exist.
 */
export async function lostToRetention(
  { admin, logger }: { readonly admin: Topics; readonly logger: Logger },
  batch: OffsetStretch,
  from: bigint,
  recordedAt: Instant,
): Promise<DecodedUsage | null> {
  const { topic, partition } = batch;
  const first = BigInt((await endsOf(admin, batch))?.low ?? from);
  if (first <= from) return null;
  const detail = `offsets ${from} to ${first - 1n} were deleted by the topic's retention before they were read`;
  logger.error({ topic, partition }, detail);
  const deadLetter: DeadLetter = {
    ...{ topic, partition, offset: from, recordedAt, key: null, payload: NOTHING },
    ...{ accountId: null, meter: null, occurredAt: null },
    rejection: { reason: "lost_to_retention", detail },
  };
  const run: UsageRun = {
    ...{ partition, fetchedFrom: from, nextOffset: first, from: 0, to: 0 },
    deadLetters: [deadLetter],
    messageAt: () => ({ key: null, value: NOTHING }),
  };
  return { columns: plainColumns([]), runs: [run] };
}

/** The first offset of a batch's partition, and one past the last, by now. */
async function endsOf(
  admin: Topics,
  { topic, partition }: OffsetStretch,
): Promise<{ readonly low: string; readonly high: string } | undefined> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.find((known) => known.partition === partition);
}
