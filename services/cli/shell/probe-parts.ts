import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import { type Database, openDatabase } from "../../../shared/ledger/postgres/database.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { addressOf, reasonOf } from "./with-database.ts";

/** A server that takes longer to answer counts as down. */
const ANSWERS_WITHIN_MS = 3_000;

/** What a server answered, or why it is down. */
export type Probe<T> =
  | { readonly up: true; readonly found: T }
  | { readonly up: false; readonly reason: string };

/** Asks a server, and stops waiting after a while. */
export async function probe<T>(ask: () => Promise<T>): Promise<Probe<T>> {
  const answered = new AbortController();
  const late = sleep(ANSWERS_WITHIN_MS, "late" as const, { signal: answered.signal });
  late.catch(() => undefined);
  try {
    const answer = await Promise.race([ask().then((found) => ({ found })), late]);
    if (answer !== "late") return { up: true, found: answer.found };
    return { up: false, reason: `no answer within ${ANSWERS_WITHIN_MS / 1000} s` };
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
  const admin = openKafka(kafka, "drawdown-cli", createLogger("cli", "silent")).admin();
  return probe(async () => {
    await admin.connect();
    return admin;
  });
}

/** Asks the registry for its subjects. */
export async function probeRegistry({ registry }: Settings): Promise<Probe<null>> {
  const { url, auth } = registry;
  return probe(async () => {
    const response = await fetch(`${withoutUser(url)}/subjects`, {
      headers: auth === null ? {} : { authorization: basic(auth) },
    });
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
    registry: withoutUser(settings.registry.url),
  };
}

function withoutUser(text: string): string {
  const url = new URL(text);
  url.username = "";
  url.password = "";
  return url.href.replace(/\/$/, "");
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
