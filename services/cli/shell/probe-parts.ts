import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import { registryAddress } from "../../../shared/kafka/codec/registry.ts";
import { type Database, openDatabase } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { PartUnavailable } from "./result.ts";
import { addressOf, reasonOf } from "./with-database.ts";

/** A server that takes longer to answer counts as down. */
const ANSWERS_WITHIN_MS = 3_000;

/** What a server answered, or why it is down. */
export type Probe<T> =
  | { readonly up: true; readonly found: T }
  | { readonly up: false; readonly reason: string };

/** Asks a server, and stops waiting after a while; `failure` is why the tries until then failed. */
export async function probe<T>(
  ask: () => Promise<T>,
  failure: () => string | null = () => null,
): Promise<Probe<T>> {
  const answered = new AbortController();
  const late = sleep(ANSWERS_WITHIN_MS, "late" as const, { signal: answered.signal });
  late.catch(() => undefined);
  try {
    const answer = await Promise.race([ask().then((found) => ({ found })), late]);
    if (answer !== "late") return { up: true, found: answer.found };
    return { up: false, reason: failure() ?? `no answer within ${ANSWERS_WITHIN_MS / 1000} s` };
  } catch (error) {
    return { up: false, reason: reasonOf(error) };
  } finally {
    answered.abort();
  }
}

/** Connects to Postgres and reads its version. */
export async function probePostgres(
  settings: Settings,
): Promise<Probe<{ database: Database; version: string }>> {
  const database = openDatabase(settings.database, {
    name: "drawdown-status",
    connections: 3,
    onError: () => undefined, // the next query fails and reports it
  });
  return probe(async () => {
    const { rows } = await database.query<{ server_version: string }>("SHOW server_version");
    return { database, version: rows[0]?.server_version ?? "" };
  });
}

/** Connects to one of Kafka's brokers. */
export async function probeKafka({ kafka }: Settings): Promise<Probe<Admin>> {
  let failure: string | null = null;
  const log = {
    debug: () => undefined,
    warn(_: object, message: string) {
      failure ??= message.replace(/^kafka: /, "");
    },
  };
  const admin = openKafka(kafka, "drawdown-cli", log).admin();
  const connect = async () => {
    await admin.connect();
    return admin;
  };
  return probe(connect, () => failure);
}

/** Throws PartUnavailable within seconds if Kafka does not answer, where its client would try for a minute. */
export async function requireKafka(settings: Settings): Promise<void> {
  const kafka = await probeKafka(settings);
  if (kafka.up) return kafka.found.disconnect();
  const where = addressesOf(settings).kafka;
  throw new PartUnavailable(`Kafka at ${where} cannot be reached: ${kafka.reason}`);
}

/** Asks the registry for its subjects. */
export async function probeRegistry({ registry }: Settings): Promise<Probe<null>> {
  const { url, authorization } = registryAddress(registry);
  return probe(async () => {
    const response = await fetch(`${url}/subjects`, { headers: authorization });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answers with HTTP ${response.status}`);
    return null;
  });
}

/** The addresses of the servers, without users and passwords. */
export function addressesOf(settings: Settings) {
  return {
    postgres: addressOf(settings),
    kafka: settings.kafka.brokers.join(","),
    registry: registryAddress(settings.registry).url,
  };
}
