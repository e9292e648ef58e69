import type { Kafka } from "kafkajs";
import type { Instant } from "../../core/line/account.ts";
import { TOPICS } from "../../core/text/topics.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { Health } from "../../runtime/health/health.ts";
import { watchLoop } from "../../runtime/health/watch-loop.ts";
import type { Sleeper } from "../../runtime/sleeper.ts";
import type { OutageRetry } from "../client/retry-outages.ts";
import type { Registry } from "../codec/registry.ts";
import { openFencedPublisher } from "./fenced-publisher.ts";
import { keepBalancesPublished } from "./keep-balances-published.ts";
import { relayOutbox } from "./outbox-relay.ts";
import { BALANCE_PUBLISHER } from "./publish-balances.ts";
import { type BookTraces, publishTraced } from "./publish-traces.ts";
import { type Outgoing, openPublisher } from "./publisher.ts";

/** A relay that is woken constantly still gathers records for this long. */
const LEAST_REST_MS = 20;

/**
 * Publishes the outbox and balances until the service stops, each in a loop that its health watches. Of several
 * services one at a time publishes.
 */
export async function publishBooks(parts: {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly waits: OutageRetry;
  readonly health: Health;
  /** How soon to check again when there was nothing. */
  readonly lookEveryMs: number;
  /** The pause between checks of the outbox; writers to it end it early. */
  readonly sleeper: Sleeper;
  /** Null: what is published is not traced. */
  readonly traces?: BookTraces | null;
}): Promise<void> {
  const { database, kafka, registry, waits, health, lookEveryMs, sleeper, traces = null } = parts;
  const [relay, balances] = [watchLoop(), watchLoop()];
  health.work("relay", relay.standsForMs);
  health.work("balances", balances.standsForMs);
  const balancePublisher = openFencedPublisher(kafka, registry, BALANCE_PUBLISHER);
  const relayPublisher = openPublisher(kafka, registry);
  await Promise.all([
    keepBalancesPublished({
      ...{ database, publisher: balancePublisher, waits, lookEveryMs },
      tellComplete: (until) => relayPublisher.publish([balancesComplete(until)]),
      loop: balances,
      traces: traces?.balances ?? null,
    }),
    waits.repeat(
      "outbox",
      relay.turn(async () => {
        const more = await publishTraced(traces?.outbox ?? null, (trace) =>
          relayOutbox(database, relayPublisher, trace),
        );
        if (more) return;
        await waits.pause(LEAST_REST_MS);
        await sleeper.sleep(lookEveryMs - LEAST_REST_MS);
      }),
    ),
  ]);
  await Promise.all([balancePublisher.close(), relayPublisher.close()]);
}

function balancesComplete(until: Instant): Outgoing {
  return { topic: TOPICS.balancesComplete, key: null, sequence: null, record: { until } };
}
