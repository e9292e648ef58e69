import { existsSync } from "node:fs";
import { chmod, chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { type Child, logSays, runToEnd, startChild } from "./child-process.ts";
import { createPart, type Part } from "./part.ts";
import { stopLeftover } from "./pid-file.ts";
import {
  findPostgres,
  type PostgresBinaries,
  postgresUser,
  type SystemUser,
} from "./postgres-binaries.ts";

/** Not a secret: the server is local and only for trials. */
export const LOCAL_USER = "drawdown";
export const LOCAL_PASSWORD = "drawdown";

const DATABASES = ["drawdown", "registry"] as const;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  max_connections: "100",
  shared_buffers: "512MB",
  fsync: "on",
  synchronous_commit: "on",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  wal_compression: "off",
  jit: "off",
  track_commit_timestamp: "on", // for measuring latency
};

interface Cluster {
  readonly dataDir: string;
  readonly folder: string;
  readonly port: number;
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

export async function postgresPart(
  dataDir: string,
  port: number,
  say: (line: string) => void,
  settings: Readonly<Record<string, string>> = {},
): Promise<Part> {
  const cluster: Cluster = {
    dataDir,
    folder: join(dataDir, "postgres"),
    port,
    binaries: await findPostgres(),
    user: await postgresUser(),
    settings: { ...SETTINGS, ...settings, port: String(port) },
  };
  return createPart("postgres", () => start(cluster), say);
}

export function postgresUrl(port: number, database: (typeof DATABASES)[number]): string {
  return `postgresql://${LOCAL_USER}:${LOCAL_PASSWORD}@127.0.0.1:${port}/${database}`;
}

async function start(cluster: Cluster): Promise<Child> {
  // Its lock file prevents a start if the process id in it has been reused.
  await stopLeftover(join(cluster.folder, "postmaster.pid"), cluster.folder, "SIGINT");
  if (!existsSync(cluster.folder)) await initialise(cluster);
  const settings = Object.entries(cluster.settings);
  const server = await startChild(
    {
      name: "postgres",
      command: cluster.binaries.postgres,
      args: [
        "-D",
        cluster.folder,
        ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      user: cluster.user,
      dataDir: cluster.dataDir,
      stopSignal: "SIGINT",
    },
    async (log) => (await logSays(log, "ready to accept")) && (await answers(cluster.port)),
    60_000,
  );
  await createDatabases(cluster.port);
  return server;
}

/** The folder is renamed after initdb, so an existing one is complete. */
async function initialise(cluster: Cluster): Promise<void> {
  const partial = `${cluster.folder}.partial`;
  const passwordFile = join(cluster.dataDir, "postgres-password");
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(passwordFile, `${LOCAL_PASSWORD}\n`);
  if (cluster.user !== undefined) {
    await chown(partial, cluster.user.uid, cluster.user.gid);
    await chmod(cluster.dataDir, 0o711); // lets that user reach its own folder
  }
  await runToEnd({
    name: "initdb",
    command: cluster.binaries.initdb,
    args: [
      `--pgdata=${partial}`,
      `--username=${LOCAL_USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
    ],
    user: cluster.user,
    dataDir: cluster.dataDir,
  });
  await rm(passwordFile);
  await rename(partial, cluster.folder);
}

async function answers(port: number): Promise<boolean> {
  try {
    await withClient(port, (client) => client.query("SELECT 1"));
    return true;
  } catch {
    return false;
  }
}

async function createDatabases(port: number): Promise<void> {
  await withClient(port, async (client) => {
    const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
    const there = new Set(rows.map((row) => row.datname));
    for (const name of DATABASES) {
      if (!there.has(name)) await client.query(`CREATE DATABASE ${name}`);
    }
  });
}

async function withClient<T>(port: number, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: postgresUrl(port, "drawdown").replace(/drawdown$/, "postgres"),
    connectionTimeoutMillis: 2_000,
  });
  client.on("error", () => undefined); // a lost connection fails the current query
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}
