import { existsSync } from "node:fs";
import { chmod, chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import {
  APPLICATION,
  BOOKS_DATABASE,
  createRoles,
  newPassword,
  OWNER,
  type Passwords,
  REGISTRY,
} from "../postgres/create-roles.ts";
import { type Child, logSays, runToEnd, startChild } from "./child-process.ts";
import { createPart, type Part } from "./part.ts";
import { stopLeftover } from "./pid-file.ts";
import {
  findPostgres,
  type PostgresBinaries,
  postgresUser,
  type SystemUser,
} from "./postgres-binaries.ts";

const SUPERUSER = "drawdown";

/** The passwords of one run. */
export interface Logins extends Passwords {
  readonly [SUPERUSER]: string;
}

export function newLogins(): Logins {
  return {
    [SUPERUSER]: newPassword(),
    [OWNER]: newPassword(),
    [APPLICATION]: newPassword(),
    [REGISTRY]: newPassword(),
  };
}

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
  readonly logins: Logins;
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

export interface PostgresOptions {
  /** Besides its own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The cluster is a copy of one with these logins, such as a standby, which nothing may write to. */
  readonly isCopy?: boolean;
  /** Below `dataDir`, where the cluster's own folder is made; `dataDir` itself by default. */
  readonly disk?: string;
}

export async function postgresPart(
  dataDir: string,
  port: number,
  logins: Logins,
  say: (line: string) => void,
  { settings = {}, isCopy = false, disk = dataDir }: PostgresOptions = {},
): Promise<Part> {
  const cluster: Cluster = {
    dataDir,
    folder: join(disk, "postgres"),
    port,
    logins,
    binaries: await findPostgres(),
    user: await postgresUser(),
    settings: { ...SETTINGS, ...settings, port: String(port) },
  };
  let hasLogins = isCopy;
  const launch = async () => {
    const server = await start(cluster, hasLogins);
    hasLogins = true;
    return server;
  };
  return createPart("postgres", launch, say);
}

/** How a role reaches the books. */
export function postgresUrl(port: number, logins: Logins, role: keyof Logins): string {
  return `postgresql://${role}:${logins[role]}@127.0.0.1:${port}/${BOOKS_DATABASE}`;
}

export function superuserUrl(port: number, logins: Logins): string {
  return postgresUrl(port, logins, SUPERUSER);
}

async function start(cluster: Cluster, hasLogins: boolean): Promise<Child> {
  // Its lock file prevents a start if the process id in it has been reused.
  await stopLeftover(join(cluster.folder, "postmaster.pid"), cluster.folder, "SIGINT");
  if (!existsSync(cluster.folder)) await initialise(cluster);
  else if (!hasLogins) await renewPassword(cluster);
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
    async (log) => (await logSays(log, "ready to accept")) && (await answers(cluster)),
    60_000,
  );
  if (!hasLogins) await createRoles(superuserUrl(cluster.port, cluster.logins), cluster.logins);
  return server;
}

/** The folder is renamed after initdb, so an existing one is complete. */
async function initialise(cluster: Cluster): Promise<void> {
  const partial = `${cluster.folder}.partial`;
  const passwordFile = join(cluster.dataDir, "postgres-password");
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(passwordFile, `${cluster.logins[SUPERUSER]}\n`, { mode: 0o600 });
  if (cluster.user !== undefined) {
    for (const path of [partial, passwordFile]) {
      await chown(path, cluster.user.uid, cluster.user.gid);
    }
    await chmod(cluster.dataDir, 0o711); // lets that user reach its own folder
  }
  await runToEnd({
    name: "initdb",
    command: cluster.binaries.initdb,
    args: [
      `--pgdata=${partial}`,
      `--username=${SUPERUSER}`,
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

/** Sets the superuser's password of this run, before the server listens. */
async function renewPassword({ folder, dataDir, binaries, user, logins }: Cluster): Promise<void> {
  await runToEnd({
    name: "postgres-password",
    command: binaries.postgres,
    args: ["--single", "-D", folder, "postgres"],
    input: `ALTER ROLE ${SUPERUSER} PASSWORD '${logins[SUPERUSER]}'\n`,
    user,
    dataDir,
  });
}

async function answers({ port, logins }: Cluster): Promise<boolean> {
  const url = superuserUrl(port, logins).replace(/[^/]+$/, "postgres");
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined); // a lost connection fails the query
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
