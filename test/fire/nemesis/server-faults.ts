import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { again } from "../again.ts";
import { plainKafka } from "../check/read-topic.ts";
import type { Stage } from "../stage/stage.ts";
import { type Kind, nothingToEnd } from "./kind.ts";

const COMMITS_ENDED = 20;
const MOST_LOOKS = 1_000;

/** What happens to Postgres, Kafka and the registry. */
export const SERVER_FAULTS: readonly Kind[] = [
  {
    name: "Postgres dies",
    about: "postgres",
    lasts: [1, 5],
    backWithin: 30,
    async begin({ stack }) {
      await stack.parts.postgres.kill();
      return () => stack.parts.postgres.start();
    },
  },
  {
    name: "backends end in a commit",
    about: "postgres",
    lasts: [0, 0],
    backWithin: 30,
    async begin(stage) {
      await asSuperuser(stage, endCommits);
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
      return () => stack.parts.kafka.start();
    },
  },
  {
    name: "partitions are added",
    about: "kafka",
    lasts: [0, 0],
    backWithin: 45,
    awaits: "read within 30 s since a partition's mend; not run here with it yet",
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
      return () => stack.parts.registry.start();
    },
  },
];

async function asSuperuser(
  { superuserUrl }: Stage,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = await again(() => connect(superuserUrl));
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Ends backends of the services that are committing right now. */
async function endCommits(client: pg.Client): Promise<void> {
  for (let ended = 0, looks = 0; ended < COMMITS_ENDED && looks < MOST_LOOKS; looks += 1) {
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name LIKE 'drawdown-%' AND state = 'active' AND query ILIKE 'COMMIT%'`,
    );
    ended += rowCount ?? 0;
    await wait(5);
  }
}

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
