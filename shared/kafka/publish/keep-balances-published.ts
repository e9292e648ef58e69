import type { Instant } from "../../core/line/account.ts";
import { timeOfBooks, waitingBalanceChanges } from "../../ledger/outbox/balance-changes.ts";
import type { TooMany } from "../../ledger/outbox/published-budgets.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { LoopWatch } from "../../runtime/health/watch-loop.ts";
import type { OutageRetry } from "../client/retry-outages.ts";
import type { FencedPublisher } from "./fenced-publisher.ts";
import { MOST_CHANGES, publishBalances } from "./publish-balances.ts";
import { type BookTraces, publishTraced } from "./publish-traces.ts";

/**
 * The pause after publishing balances, within bounds: under load metering comes first. An account takes some
 * 15 microseconds of the thread, and nine times as much is left to metering. Most of the time that passes is
 * waited for Kafka and Postgres, and does not count.
 */
const REST = { msAnAccount: 0.135, atLeastLooks: 2, longestMs: 1_400 };
/**
 * How often to look whether the other process still publishes: it does while anything that waited has gone by
 * the next look. Taking over costs as much as publishing a few hundred balances, so nobody does meanwhile.
 */
const STAND_BY_MS = 1_600;

/** How often readers are told until when they know everything. */
const TELL_EVERY_MS = 1_000;

/**
 * Publishes balances until the service stops, or stands by while another process does. Whenever nothing waits,
 * it tells until when all is published: whoever published it.
 */
export async function keepBalancesPublished(parts: {
  readonly database: Database;
  readonly publisher: FencedPublisher;
  tellComplete(until: Instant): Promise<void>;
  readonly waits: OutageRetry;
  readonly lookEveryMs: number;
  readonly loop: LoopWatch;
  readonly traces?: BookTraces["balances"] | null;
}): Promise<void> {
  const { database, publisher, tellComplete, waits, lookEveryMs, loop, traces = null } = parts;
  const tooMany: TooMany = new Map();
  let standsBy = false;
  let seen: ReadonlySet<string> = new Set();
  let toldAt = Number.NEGATIVE_INFINITY;

  async function isLeftBehind(): Promise<boolean> {
    const { changes } = await waitingBalanceChanges(database, MOST_CHANGES);
    const before = seen;
    seen = new Set(changes.map(({ changeId }) => changeId));
    return before.size > 0 && before.isSubsetOf(seen);
  }

  async function publish(): Promise<void> {
    const until = await timeToTell();
    if (standsBy && !(await isLeftBehind())) {
      if (seen.size === 0) await tell(until);
      return waits.pause(STAND_BY_MS);
    }
    const published = await publishTraced(traces, (trace) =>
      publishBalances(database, publisher, tooMany, trace),
    );
    standsBy = published === null;
    if (published?.isAll === true) await tell(until);
    await waits.pause(
      published === null ? STAND_BY_MS : restAfter(published.accounts, lookEveryMs),
    );
  }

  /** Null: readers were told a moment ago. The time is read before looking for what waits. */
  async function timeToTell(): Promise<Instant | null> {
    return performance.now() < toldAt + TELL_EVERY_MS ? null : timeOfBooks(database);
  }

  async function tell(until: Instant | null): Promise<void> {
    if (until === null) return;
    await tellComplete(until);
    toldAt = performance.now();
  }

  await waits.repeat("balances", loop.turn(publish));
}

function restAfter(accounts: number, lookEveryMs: number): number {
  const { msAnAccount, atLeastLooks, longestMs } = REST;
  return Math.min(Math.max(accounts * msAnAccount, lookEveryMs * atLeastLooks), longestMs);
}
