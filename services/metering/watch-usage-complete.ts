import type { Admin } from "kafkajs";
import type { Instant } from "../../shared/core/line/account.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import {
  areRead,
  type PartitionEnds,
  readAllEnds,
} from "../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { lagFollower } from "./follow-lag.ts";

/** The ends of the usage topic at an instant. */
interface Observation {
  readonly at: Instant;
  readonly ends: readonly PartitionEnds[];
}

/**
 * Makes a check that records up to when usage is complete. If the books have not read to the current
 * ends, the check remembers these ends until they have, so that the instant advances under load too.
 * Any number of processes may check; the recorded instant never goes back. `onLook` is told what it sees.
 */
export function usageCompleteWatch(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicMetadata">,
  onLook?: ReturnType<typeof lagFollower>["look"],
): () => Promise<void> {
  let awaited: Observation | null = null;
  return async () => {
    const current = await observe(admin);
    if (current === null) return;
    const offsets = await readOffsets(database, USAGE_READER);
    onLook?.(current.ends, offsets, current.at);
    if (areRead(current.ends, offsets)) {
      await recordUsageComplete(database, current.at);
      awaited = null;
    } else if (awaited !== null && areRead(withoutDeleted(awaited.ends, current.ends), offsets)) {
      await recordUsageComplete(database, awaited.at);
      awaited = current;
    } else {
      awaited ??= current;
    }
  };
}

/** The instant is taken first, so everything published before it lies before the ends. */
async function observe(
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicMetadata">,
): Promise<Observation | null> {
  const at = Date.now();
  const ends = await readAllEnds(admin);
  return ends && { at, ends };
}

/** Earlier ends, without what retention has deleted since. */
function withoutDeleted(
  before: readonly PartitionEnds[],
  now: readonly PartitionEnds[],
): PartitionEnds[] {
  const lows = new Map(now.map(({ partition, low }) => [partition, low]));
  return before.map((ends) => ({ ...ends, low: lows.get(ends.partition) ?? ends.low }));
}
