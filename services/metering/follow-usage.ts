import { setTimeout as sleep } from "node:timers/promises";
import { TOPICS } from "../../shared/core/topics.ts";
import type { Publisher } from "../../shared/kafka/publisher.ts";
import type { Database } from "../../shared/ledger/database.ts";
import { balanceChanged } from "../../shared/ledger/outbox-records.ts";
import { partitionsBehind, rollUpSpend } from "../../shared/ledger/roll-up-spend.ts";

const SHORTEST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1_000;
/** Under load it rests this many times as long as it worked, so that it never takes the speed from metering. */
const REST = 4;

/** Takes every partition's spend up to what metering has committed and publishes the balances that changed. */
export async function followUsage(
  database: Database,
  publisher: Publisher,
  consumer: string,
): Promise<void> {
  const topic = TOPICS.usageEvents;
  for (const partition of await partitionsBehind(database, consumer, topic)) {
    await rollUpSpend(database, { consumer, topic, partition }, async (balances) => {
      if (balances.length === 0) return;
      const changedAt = Date.now();
      await publisher.publish(
        balances.map((state) => ({
          topic: TOPICS.balances,
          key: state.accountId,
          sequence: state.version,
          record: balanceChanged(state, changedAt),
        })),
      );
    });
  }
}

/** Rests between two runs of `followUsage`: briefly when quiet, in proportion to the work when busy. */
export async function rest(workedMs: number, stopping: AbortSignal): Promise<void> {
  const waitMs = Math.min(Math.max(workedMs * REST, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
  await sleep(waitMs, undefined, { signal: stopping }).catch(() => undefined);
}
