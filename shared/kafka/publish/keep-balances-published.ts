import { waitingBalanceChanges } from "../../ledger/outbox/balance-changes.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { LoopWatch } from "../../runtime/health/watch-loop.ts";
import type { OutageRetry } from "../client/retry-outages.ts";
import type { FencedPublisher } from "./fenced-publisher.ts";
import { MOST_CHANGES, publishBalances } from "./publish-balances.ts";

/**
 * After publishing balances, pause for 9 times as long as it took, within bounds: under load metering
 * comes first.
 */
const REST = { times: 9, atLeastLooks: 2, longestMs: 1_400 };
/**
 * How often to look whether the other process still publishes: what waits at two looks, it has left. Taking
 * over costs as much as publishing a few hundred balances, so nobody does while the other one works.
 */
const STAND_BY_MS = 1_600;

/** Publishes balances until the service stops, or stands by while another process does. */
export async function keepBalancesPublished(parts: {
  readonly database: Database;
  readonly publisher: FencedPublisher;
  readonly waits: OutageRetry;
  readonly lookEveryMs: number;
  readonly loop: LoopWatch;
}): Promise<void> {
  const { database, publisher, waits, lookEveryMs, loop } = parts;
  let standsBy = false;
  let seen: ReadonlySet<string> = new Set();

  async function isLeftBehind(): Promise<boolean> {
    const waiting = await waitingBalanceChanges(database, MOST_CHANGES);
    const before = seen;
    seen = new Set(waiting.map(({ changeId }) => changeId));
    return waiting.some(({ changeId }) => before.has(changeId));
  }

  async function publish(): Promise<void> {
    if (standsBy && !(await isLeftBehind())) return waits.pause(STAND_BY_MS);
    const startedAt = performance.now();
    standsBy = !(await publishBalances(database, publisher));
    const restMs = Math.max(
      (performance.now() - startedAt) * REST.times,
      lookEveryMs * REST.atLeastLooks,
    );
    await waits.pause(standsBy ? STAND_BY_MS : Math.min(restMs, REST.longestMs));
  }

  await waits.repeat("balances", loop.turn(publish));
}
