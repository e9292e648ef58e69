import type { Admin } from "kafkajs";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import { readPartitionEnds } from "../../shared/kafka/client/partition-ends.ts";
import { standstill } from "../../shared/kafka/health/standstill.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { Health } from "../../shared/runtime/health/health.ts";

/** Checks that the books move on in each partition that has unread usage, whichever process meters it. */
export function checkLag(
  health: Health,
  from: { readonly database: Database; readonly admin: Pick<Admin, "fetchTopicOffsets"> },
  limitMs: number,
): void {
  const byPartition = new Map<number, ReturnType<typeof standstill>>();
  health.state("lag", async () => {
    const ends = await readPartitionEnds(from.admin);
    const offsets = await readOffsets(from.database, USAGE_READER);
    const standing = ends.map(({ partition, low, high }) => {
      const next = offsets.get(partition) ?? low;
      const standsFor = byPartition.get(partition) ?? standstill();
      byPartition.set(partition, standsFor);
      // What retention has deleted is read no more.
      const isUnread = next < high && low < high;
      return { partition, next, high, forMs: standsFor(isUnread ? next.toString() : null) };
    });
    const worst = standing.reduce((a, b) => (b.forMs > a.forMs ? b : a), NONE);
    if (worst.forMs < limitMs) return null;
    const { partition, next, high, forMs } = worst;
    const reason = `partition ${partition} of usage.events is metered up to offset ${next}, and ends at ${high}`;
    return { reason, forMs };
  });
}

const NONE = { partition: 0, next: 0n, high: 0n, forMs: 0 };
