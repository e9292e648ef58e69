import type { Admin } from "kafkajs";
import type { Instant } from "../../../shared/core/line/account.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { readPartitionEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { type ApiKey, listExpiringKeys } from "../../../shared/ledger/access/api-keys.ts";
import {
  type HousekeepingRun,
  listHousekeeping,
} from "../../../shared/ledger/housekeeping/runs.ts";
import { countOutbox } from "../../../shared/ledger/outbox/count.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { usagePastUntil } from "../../../shared/ledger/usage/past-usage.ts";
import { readBacklogs, type WebhookBacklog } from "../../../shared/ledger/webhooks/backlog.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  addressesOf,
  type Probe,
  probe,
  probeKafka,
  probePostgres,
  probeRegistry,
} from "../shell/probe-parts.ts";
import {
  countMembers,
  lagsOf,
  measureSpeed,
  type PartitionLag,
} from "../usage/metering-progress.ts";
import { askServices, type ServiceHealth } from "./ask-services.ts";
import type { HealthAddress } from "./settings.ts";

/** The most outbox records that are counted. */
export const MOST_WAITING = 10_000;

/** A server or a service. */
export interface Part {
  readonly name: "postgres" | "kafka" | "registry" | "metering";
  readonly up: boolean;
  readonly address: string | null;
  /** What it answered, or why it is down. */
  readonly detail: string;
}

/** Null where the server that knows is down. */
export interface Status {
  readonly parts: readonly Part[];
  /** Null: it is not known where they answer. */
  readonly services: readonly ServiceHealth[] | null;
  readonly partitions: readonly PartitionLag[];
  readonly eventsPerSecond: number | null;
  readonly waiting: number | null;
  readonly deadLetters: readonly { readonly reason: string; readonly count: number }[] | null;
  /** The API keys that expire within 14 days, the next first. */
  readonly expiringKeys: readonly Pick<ApiKey, "keyId" | "name" | "expiresAt">[] | null;
  /** The last housekeeping of each table; none before the first run. */
  readonly housekeeping: readonly HousekeepingRun[] | null;
  /** Usage from before it is past retention; also null where all is kept. */
  readonly usagePastUntil: Instant | null;
  /** The webhook endpoints, with what waits for each. */
  readonly webhooks: readonly WebhookBacklog[] | null;
}

/** Asks all servers and services concurrently, so that one that is down does not delay the others. */
export async function inspect(
  settings: Settings,
  healthAddresses: readonly HealthAddress[] | null,
): Promise<Status> {
  const address = addressesOf(settings);
  const [books, broker, registry, services] = await Promise.all([
    inspectBooks(settings),
    inspectKafka(settings),
    probeRegistry(settings),
    healthAddresses && askServices(healthAddresses),
  ]);
  const speed = foundBy(books.speed);
  return {
    parts: [
      toPart("postgres", address.postgres, books.postgres, (version) => `version ${version}`),
      toPart("kafka", address.kafka, broker.kafka, (count) => `${count} usage partitions`),
      toPart("registry", address.registry, registry, () => "answers"),
      toPart("metering", null, broker.metering, (count) => `${count} in the group`),
    ],
    services,
    partitions: lagsOf(foundBy(broker.ends), speed?.offsets ?? null),
    eventsPerSecond: speed?.eventsPerSecond ?? null,
    waiting: foundBy(books.waiting),
    deadLetters: foundBy(books.deadLetters),
    expiringKeys: foundBy(books.expiringKeys),
    housekeeping: foundBy(books.housekeeping),
    usagePastUntil: foundBy(books.pastUntil),
    webhooks: foundBy(books.webhooks),
  };
}

/** Postgres is up when it answers and has the books. */
async function inspectBooks(settings: Settings) {
  const postgres = await probePostgres(settings);
  if (!postgres.up) {
    const down = postgres;
    const counts = { speed: down, waiting: down, deadLetters: down, expiringKeys: down };
    return { postgres, ...counts, housekeeping: down, pastUntil: down, webhooks: down };
  }
  const { database, version } = postgres.found;
  const [speed, webhooks, waiting, deadLetters, ...further] = await Promise.all([
    probe(() => measureSpeed(database)),
    probe(() => readBacklogs(database, MOST_WAITING)),
    probe(() => countOutbox(database, MOST_WAITING)),
    probe(() => countDeadLetters(database)),
    probe(() => listExpiringKeys(database, Date.now())),
    probe(() => listHousekeeping(database)),
    probe(() => usagePastUntil(database, null)),
  ]);
  const [expiringKeys, housekeeping, pastUntil] = further;
  const usable: Probe<string> = speed.up ? { up: true, found: version } : speed;
  const counts = { speed, waiting, deadLetters, expiringKeys };
  return { postgres: usable, ...counts, housekeeping, pastUntil, webhooks };
}

/** Kafka is up when it answers and has the usage topic; metering, when its group has a consumer. */
async function inspectKafka(settings: Settings) {
  const kafka = await probeKafka(settings);
  if (!kafka.up) {
    const metering: Probe<number> = { up: false, reason: "unknown while Kafka is down" };
    return { kafka, ends: kafka, metering };
  }
  const admin = kafka.found;
  const [ends, members] = await Promise.all([
    probe(() => readUsageEnds(admin)),
    probe(() => countMembers(admin)),
  ]);
  const usable: Probe<number> = ends.up ? { up: true, found: ends.found.length } : ends;
  const none: Probe<number> = { up: false, reason: "no consumer is in its group" };
  return { kafka: usable, ends, metering: members.up && members.found === 0 ? none : members };
}

/** Asking for the ends of a topic that is not there takes KafkaJS longer than a probe waits. */
async function readUsageEnds(admin: Admin) {
  const topics = await admin.listTopics();
  if (!topics.includes(TOPICS.usageEvents))
    throw new Error(`no topic ${TOPICS.usageEvents}: run set-up`);
  return await readPartitionEnds(admin);
}

function toPart<T>(
  name: Part["name"],
  address: string | null,
  probed: Probe<T>,
  inWords: (found: T) => string,
): Part {
  const detail = probed.up ? inWords(probed.found) : probed.reason;
  return { name, up: probed.up, address, detail };
}

function foundBy<T>(probed: Probe<T>): T | null {
  return probed.up ? probed.found : null;
}
