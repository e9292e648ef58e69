import type { Kafka } from "kafkajs";
import type { Database } from "../../ledger/postgres/database.ts";
import type { Sleeper } from "../../runtime/sleeper.ts";
import type { OutageRetry } from "../client/retry-outages.ts";
import type { Registry } from "../codec/registry.ts";
import { openFencedPublisher } from "./fenced-publisher.ts";
import { relayOutbox } from "./outbox-relay.ts";
import { BALANCE_PUBLISHER, publishBalances } from "./publish-balances.ts";
import { openPublisher } from "./publisher.ts";

/**
 * After publishing balances, pause for 9 times as long as it took, within bounds: under load metering
 * comes first.
 */
const BALANCES_REST = { times: 9, atLeastLooks: 2, longestMs: 1_400 };
/**
 * How long to leave balances to the other process that publishes them: taking over costs as much as
 * publishing a few hundred.
 */
const STAND_BY_MS = 2_000;
/** A relay that is woken constantly still gathers records for this long. */
const LEAST_REST_MS = 20;

/** Publishes the outbox and balances until the service stops. Of several services one at a time publishes. */
export async function publishBooks(parts: {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly waits: OutageRetry;
  /** How soon to check again when there was nothing. */
  readonly lookEveryMs: number;
  /** The pause between checks of the outbox; writers to it end it early. */
  readonly sleeper: Sleeper;
}): Promise<void> {
  const { database, kafka, registry, waits, lookEveryMs, sleeper } = parts;
  const balancePublisher = openFencedPublisher(kafka, registry, BALANCE_PUBLISHER);
  const relayPublisher = openPublisher(kafka, registry);
  await Promise.all([
    waits.repeat("balances", async () => {
      const startedAt = performance.now();
      if (!(await publishBalances(database, balancePublisher))) return waits.pause(STAND_BY_MS);
      const { times, atLeastLooks, longestMs } = BALANCES_REST;
      const restMs = (performance.now() - startedAt) * times;
      await waits.pause(Math.min(Math.max(restMs, lookEveryMs * atLeastLooks), longestMs));
    }),
    waits.repeat("outbox", async () => {
      const more = await relayOutbox(database, relayPublisher);
      if (more) return;
      await waits.pause(LEAST_REST_MS);
      await sleeper.sleep(lookEveryMs - LEAST_REST_MS);
    }),
  ]);
  await Promise.all([balancePublisher.close(), relayPublisher.close()]);
}
