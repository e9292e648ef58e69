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

/** What the usage topic held at an instant. */
interface Observation {
  readonly at: Instant;
  readonly ends: readonly PartitionEnds[];
}

/**
 * Makes the look that notes up to when usage is complete. Where the books, whoever wrote them, have
 * not read to the ends as they are now, these ends are remembered until they have, so that the
 * instant moves on under load too. Any number of processes may look; what was noted never goes back.
 */
export function usageCompleteWatch(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicMetadata">,
): () => Promise<void> {
  let awaited: Observation | null = null;
  return async () => {
    const seen = await observe(admin);
    if (seen === null) return;
    const places = await readOffsets(database, USAGE_READER);
    if (areRead(seen.ends, places)) {
      await recordUsageComplete(database, seen.at);
      awaited = null;
    } else if (awaited !== null && areRead(stillThere(awaited.ends, seen.ends), places)) {
      await recordUsageComplete(database, awaited.at);
      awaited = seen;
    } else {
      awaited ??= seen;
    }
  };
}

/** The instant comes first: what was published before it is in the topic when the ends are asked for. */
async function observe(
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicMetadata">,
): Promise<Observation | null> {
  const at = Date.now();
  const ends = await readAllEnds(admin);
  return ends && { at, ends };
}

/** The ends as they were, less what retention has deleted since. */
function stillThere(
  before: readonly PartitionEnds[],
  now: readonly PartitionEnds[],
): PartitionEnds[] {
  const lows = new Map(now.map(({ partition, low }) => [partition, low]));
  return before.map((ends) => ({ ...ends, low: lows.get(ends.partition) ?? ends.low }));
}
