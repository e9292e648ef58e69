import { setTimeout as sleep } from "node:timers/promises";
import { type Reader, readOffsets } from "../../ledger/books/consumer-offset.ts";
import type { Servers } from "../client/open-servers.ts";
import { runBatchConsumer } from "./batch-consumer.ts";
import type { BatchForm, OffsetStretch } from "./batch-forms.ts";
import type { PartitionReader } from "./partition-reader.ts";
import { findStartOffsets } from "./start-offsets.ts";

const LEAVE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 5_000;

/** Starts a consumer of the books, once Kafka is up, at the offsets in the books, and goes back where those do. */
export async function startReader<B extends OffsetStretch>(
  { database, kafka, admin, waits }: Servers,
  reader: Reader,
  options: {
    readonly batchSize: number;
    readonly form: BatchForm<B>;
    handle(batch: B, heartbeat: () => Promise<void>): Promise<bigint>;
  },
): Promise<PartitionReader> {
  const { consumer: groupId, topic } = reader;
  const startAt = (partitions: readonly number[]) =>
    waits.untilUp("Postgres and Kafka", () =>
      findStartOffsets(database, admin, reader, partitions),
    );
  const started = await waits.untilUp("Kafka", () =>
    runBatchConsumer(kafka, { groupId, topic, startAt, ...options }),
  );
  const following = waits.repeat("the offsets in the books", async () => {
    await started.goBack(() => readOffsets(database, reader));
    await waits.pause(LOOK_EVERY_MS);
  });
  const ended = Promise.race([started.ended, following]);
  ended.catch(() => undefined); // whoever waits for it hears of it
  return { ...started, ended };
}

/** Waits until the reader or the work beside it ends, calls `stop`, stops the reader, and waits for that work. */
export async function untilStopped(
  reader: Pick<PartitionReader, "ended" | "stop">,
  background: Promise<unknown>,
  stop: () => Promise<void> | void,
): Promise<void> {
  try {
    await Promise.race([reader.ended, background]);
  } finally {
    await stop();
    // Leave the group even after a failure, so that others need not wait for the session to time out.
    await Promise.race([reader.stop(), sleep(LEAVE_WITHIN_MS)]);
  }
  await background;
}
