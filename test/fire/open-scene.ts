import { join } from "node:path";
import type { Admin } from "kafkajs";
import pg from "pg";
import { randomFrom } from "../model/random.ts";
import { plainKafka } from "./check/read-topic.ts";
import type { History } from "./history.ts";
import type { FireAccount } from "./load/accounts.ts";
import type { Api } from "./load/api.ts";
import { type Generator, startGenerator } from "./load/generator.ts";
import { type Journal, openJournal } from "./load/journal.ts";
import { openWorld } from "./load/open-world.ts";
import { openStage, type Stage } from "./stage/stage.ts";

/** The services on a stage of their own, with accounts and under load. */
export interface Scene {
  readonly stage: Stage;
  readonly accounts: readonly FireAccount[];
  readonly api: Api;
  readonly journal: Journal;
  readonly generator: Generator;
  readonly database: pg.Pool;
  readonly admin: Admin;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly accounts: readonly FireAccount[];
  readonly loadSeed: number;
  readonly eventsPerSecond: number;
  /** Of all services, over those of the stage. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function openScene(options: SceneOptions, history: History): Promise<Scene> {
  const { accounts, eventsPerSecond } = options;
  const held = new AsyncDisposableStack();
  try {
    const stage = await openStage(history.note, options.settings);
    held.defer(() => stage.close());
    const api = await openWorld(stage, accounts);
    history.note(`${accounts.length} accounts are open`);
    const journal = openJournal(join(stage.folder, "journal.ndjson"));
    held.defer(() => journal.close());
    const random = randomFrom(options.loadSeed);
    const load = { env: stage.env, accounts, journal, api, random, eventsPerSecond };
    const generator = await startGenerator(load);
    held.defer(() => generator.close());
    const database = new pg.Pool({ connectionString: stage.superuserUrl, max: 2 });
    database.on("error", () => undefined);
    held.defer(() => database.end());
    const admin = plainKafka(stage.env["KAFKA_BROKERS"] ?? "").admin();
    await admin.connect();
    held.defer(() => admin.disconnect());
    const close = () => held.disposeAsync();
    return { stage, accounts, api, journal, generator, database, admin, close };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}
