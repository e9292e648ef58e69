import { execFile } from "node:child_process";
import { extname, resolve } from "node:path";
import { promisify } from "node:util";
import { openKafka } from "../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../shared/kafka/codec/open-registry.ts";
import { registerSchemas } from "../shared/kafka/codec/registry.ts";
import { type Database, openDatabase } from "../shared/ledger/postgres/database.ts";
import { databaseAddress } from "../shared/ledger/postgres/database-address.ts";
import { PoolerBetween, refusePooler } from "../shared/ledger/postgres/refuse-pooler.ts";
import { requireServer } from "../shared/ledger/postgres/require-server.ts";
import { createLogger } from "../shared/runtime/logger.ts";
import { InvalidSettings, readSettings, type Settings } from "../shared/runtime/settings.ts";
import { createTopics } from "./kafka/create-topics.ts";
import { permitGuest } from "./kafka/permit-guest.ts";
import { grantToServices, userOf } from "./postgres/grant-to-services.ts";
import { migrate, unknownMigrations } from "./postgres/migrate.ts";
import { progressLines, waitingLines } from "./postgres/progress-lines.ts";

const run = promisify(execFile);

/** Only the top-up service knows the gateways. Its file is compiled where this one is. */
const TOP_UP_SET_UP = resolve(
  import.meta.dirname,
  `../services/top-up/set-up/main${extname(import.meta.filename)}`,
);

/**
 * Prepares Postgres, Kafka and the registry for the services: migrations, the rights of the services'
 * role, the gateway's minimum charges, topics and schemas. Running it again changes nothing. Throws if a
 * newer version has migrated the database, if a schema is incompatible with the registered one, if a pooler
 * is before Postgres, or if the database cannot keep the books.
 */
export async function setUp(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<void> {
  const settings = readSettings(env);
  const logger = createLogger("set-up", "warn");
  const { database: application, databaseOwner: owner } = settings;
  const database = openDatabase(owner ?? application, {
    name: "drawdown-set-up",
    // One migrates, the other looks whom it waits for.
    connections: 2,
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const admin = openKafka(settings.kafka, "drawdown-set-up", logger).admin();
  try {
    await refusePoolers(settings, database);
    await requireServer(database);
    await refuseDowngrade(database, application.url);
    await registerSchemas(openRegistry(settings.registry));
    say("schemas registered");
    const { maxBehindMs } = settings.metering.window;
    const locks = { onWait: waitingLines(say) };
    const migrations = await migrate(database, {
      ...{ maxBehindMs, locks },
      onProgress: progressLines(say),
    });
    say(migrations.length === 0 ? "database up to date" : `migrated: ${migrations.join(", ")}`);
    if (owner !== null) await grantToServices(database, userOf(application.url), say);
    await run(process.execPath, [TOP_UP_SET_UP], { env });
    say("minimum charges recorded");
    await admin.connect();
    const { created, unfit } = await createTopics(admin, settings.topics);
    say(created.length === 0 ? "topics exist" : `topics created: ${created.join(", ")}`);
    for (const sentence of unfit) say(sentence);
    const { guest } = settings.topics;
    if (guest !== null) {
      await permitGuest(admin, guest);
      say(`${guest} may publish usage and read`);
    }
  } finally {
    await admin.disconnect();
    await database.end();
  }
}

/**
 * Before anything is changed: locks of migrations are those of sessions, which a pooler shares, and services
 * would refuse it afterwards.
 */
async function refusePoolers({ database, databaseOwner }: Settings, ours: Database): Promise<void> {
  await refusePooler(ours, databaseOwner === null ? "DATABASE_URL" : "DATABASE_OWNER_URL");
  if (databaseOwner === null) return;
  const services = openDatabase(database, { name: "drawdown-set-up", connections: 1 });
  try {
    await refusePooler(services);
  } catch (error) {
    if (error instanceof PoolerBetween) throw error; // set-up grants the rights that anything else may lack
  } finally {
    await services.end();
  }
}

/** Before anything is changed, also in Kafka and in the registry. */
async function refuseDowngrade(database: Database, url: string): Promise<void> {
  const unknown = await unknownMigrations(database);
  if (unknown.length === 0) return;
  throw new Error(
    `Postgres at ${databaseAddress(url)} was set up by a newer version: its migrations ${unknown.join(", ")} are ` +
      'not known here. Nothing was changed. Run set-up of that version; docs/operating.md, "How do I go back", ' +
      "says when services of this one still run",
  );
}

/** What an error says, without the stack that the library of migrations puts into its messages. */
function said(error: unknown): string {
  const lines = String(error).split("\n");
  return lines.filter((line) => !/^\s+at /.test(line)).join("\n");
}

if (import.meta.main) {
  try {
    await setUp(process.env, (line) => console.log(line));
  } catch (error) {
    console.error(
      error instanceof InvalidSettings ? error.message : `set-up failed: ${said(error)}`,
    );
    process.exitCode = 1;
  }
}
