import type pg from "pg";
import type { Part } from "../../../infra/local/part.ts";
import { signalProcess } from "../../../infra/local/process-table.ts";
import { again } from "../again.ts";
import { plainKafka } from "../check/read-topic.ts";
import { asSuperuser, connect } from "./as-superuser.ts";
import { type Kind, nothingToEnd } from "./kind.ts";

const COMMITS_ENDED = 10;
const ENDED_WITHIN_S = 10;

/** What happens to Postgres, Kafka and the registry. */
export const SERVER_FAULTS: readonly Kind[] = [
  {
    name: "Postgres dies",
    about: "postgres",
    lasts: [1, 5],
    backWithin: 30,
    async begin({ stack }) {
      await stack.parts.postgres.kill();
      return () => startAgain(stack.parts.postgres);
    },
  },
  {
    name: "Postgres is stopped at once",
    about: "postgres",
    lasts: [1, 5],
    backWithin: 30,
    async begin({ stack: { parts } }) {
      await stopAtOnce(parts.postgres);
      return () => startAgain(parts.postgres);
    },
  },
  {
    name: "backends end in a commit",
    about: "postgres",
    lasts: [0, 0],
    backWithin: 30,
    counts: "commits ended",
    async begin(stage, _, count) {
      await asSuperuser(stage, async (client) => count(await endCommits(client)));
      return nothingToEnd;
    },
  },
  {
    name: "no connection is left",
    about: "postgres",
    lasts: [5, 8],
    backWithin: 30,
    async begin(stage) {
      const taken = await takeConnections(stage.superuserUrl);
      for (const { ways } of stage.members) ways.postgres.reset();
      return async () => {
        await Promise.all(taken.map((client) => client.end().catch(() => undefined)));
      };
    },
  },
  {
    name: "Postgres is read-only after a failover",
    about: "postgres",
    lasts: [4, 8],
    backWithin: 40,
    async begin(stage) {
      await asSuperuser(stage, (client) => setReadOnly(client, true));
      return () => asSuperuser(stage, (client) => setReadOnly(client, false));
    },
  },
  {
    name: "Kafka dies",
    about: "kafka",
    lasts: [1, 5],
    backWithin: 45,
    async begin({ stack }) {
      await stack.parts.kafka.kill();
      return () => startAgain(stack.parts.kafka);
    },
  },
  {
    name: "partitions are added",
    about: "kafka",
    lasts: [0, 0],
    backWithin: 30,
    async begin({ env }) {
      await addPartition(env["KAFKA_BROKERS"] ?? "");
      return nothingToEnd;
    },
  },
  {
    name: "the registry dies",
    about: "registry",
    lasts: [2, 6],
    backWithin: 30,
    async begin({ stack }) {
      await stack.parts.registry.kill();
      return () => startAgain(stack.parts.registry);
    },
  },
];

/** On a busy machine a server may not be ready in time, and is then killed: it gets another try. */
function startAgain(server: Part): Promise<void> {
  return again(() => server.start());
}

/** What `pg_ctl stop --mode immediate` does: clients are told, and the next start recovers. */
async function stopAtOnce(postgres: Part): Promise<void> {
  if (postgres.pid !== undefined) signalProcess(postgres.pid, "SIGQUIT");
  await again(async () => {
    if (postgres.pid !== undefined) throw new Error("Postgres still runs");
  });
}

/**
 * Ends backends of the services that are in their COMMIT at that moment, and counts them. It looks from
 * within the server, every millisecond: a commit takes but a few.
 */
async function endCommits(client: pg.Client): Promise<number> {
  await client.query(END_COMMITS);
  const { rows } = await client.query<{ ended: number }>(
    "SELECT pg_temp.end_commits($1, $2) AS ended",
    [COMMITS_ENDED, ENDED_WITHIN_S],
  );
  return rows[0]?.ended ?? 0;
}

const END_COMMITS = `
  CREATE FUNCTION pg_temp.end_commits(most integer, within_seconds integer) RETURNS integer
  LANGUAGE plpgsql AS $$
  DECLARE
    ended integer := 0;
    ends_at timestamptz := clock_timestamp() + within_seconds * interval '1 second';
  BEGIN
    WHILE ended < most AND clock_timestamp() < ends_at LOOP
      PERFORM pg_stat_clear_snapshot();
      ended := ended + (
        SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name LIKE 'drawdown-%' AND state = 'active' AND query ILIKE 'COMMIT%'
      );
      PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN ended;
  END $$`;

/** Takes what connections are left, until Postgres has no more. */
async function takeConnections(url: string): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  for (;;) {
    try {
      taken.push(await connect(url));
    } catch {
      return taken;
    }
  }
}

async function setReadOnly(client: pg.Client, isReadOnly: boolean): Promise<void> {
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
  const name = client.escapeIdentifier(rows[0]?.name ?? "");
  await client.query("SET default_transaction_read_only = off");
  const setting = isReadOnly
    ? "SET default_transaction_read_only = on"
    : "RESET default_transaction_read_only";
  await client.query(`ALTER DATABASE ${name} ${setting}`);
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name LIKE 'drawdown-%'`,
  );
}

async function addPartition(brokers: string): Promise<void> {
  const admin = plainKafka(brokers).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: ["usage.events"] });
    const count = (topics[0]?.partitions.length ?? 0) + 1;
    await admin.createPartitions({ topicPartitions: [{ topic: "usage.events", count }] });
  } finally {
    await admin.disconnect();
  }
}
