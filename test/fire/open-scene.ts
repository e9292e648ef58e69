import { join } from "node:path";
import type { Admin } from "kafkajs";
import pg from "pg";
import { randomFrom } from "../model/random.ts";
import type { Calendar } from "./check/calendar.ts";
import { plainKafka } from "./check/read-topic.ts";
import type { History } from "./history.ts";
import type { FireAccount } from "./load/accounts.ts";
import type { Api } from "./load/api.ts";
import { type Generator, startGenerator } from "./load/generator.ts";
import { type Journal, openJournal } from "./load/journal.ts";
import type { Months } from "./load/months.ts";
import { openWorld } from "./load/open-world.ts";
import { untilSettled } from "./load/until-settled.ts";
import { openStage, type Stage } from "./stage/stage.ts";

/** The services on a stage of their own, with accounts and under load. */
export interface Scene {
  readonly stage: Stage;
  readonly accounts: readonly FireAccount[];
  readonly opened: Calendar["opened"];
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
  /** When accounts are opened and load begins, by a moved clock; without it, now. */
  readonly months?: Months;
}

export async function openScene(options: SceneOptions, history: History): Promise<Scene> {
  const { accounts, eventsPerSecond, months, settings = {} } = options;
  const startsAt = months?.opensAt ?? Date.now();
  const held = new AsyncDisposableStack();
  try {
    const stage = await openStage({ note: history.note, settings, startsAt });
    held.defer(() => stage.close());
    const api = await openWorld(stage, accounts);
    const opened = [startsAt, stage.now()] as const;
    history.note(`${accounts.length} accounts are open since ${dateOf(startsAt)}`);
    const database = new pg.Pool({ connectionString: stage.superuserUrl, max: 2 });
    database.on("error", () => undefined);
    held.defer(() => database.end());
    if (months !== undefined) {
      await stage.travel(months.arrivesAt);
      await untilSettled(database, months.arrivesAt);
      history.note(`what fell due until ${dateOf(stage.now())} is posted`);
    }
    const journal = openJournal(join(stage.folder, "journal.ndjson"));
    held.defer(() => journal.close());
    const random = randomFrom(options.loadSeed);
    const load = { env: stage.env, accounts, journal, api, random, eventsPerSecond };
    const generator = await startGenerator({ ...load, now: stage.now });
    held.defer(() => generator.close());
    const admin = plainKafka(stage.env["KAFKA_BROKERS"] ?? "").admin();
    await admin.connect();
    held.defer(() => admin.disconnect());
    const close = () => held.disposeAsync();
    return { stage, accounts, opened, api, journal, generator, database, admin, close };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace("T", " ");
}
