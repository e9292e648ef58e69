import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  newLogins,
  type PostgresOptions,
  postgresPart,
  postgresUrl,
  superuserUrl,
} from "../../infra/local/postgres.ts";
import { reservePort } from "../../infra/local/reserve-port.ts";
import { APPLICATION, OWNER } from "../../infra/postgres/create-roles.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy } from "../support/processes/tcp-proxy.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { asSuperuser, backUp, writeAsPostgres } from "../support/stack/postgres-folder.ts";

const WITHIN_MS = 60_000;
const STANDBY = "standby";

/** A primary with at most one streaming standby, under one address that leads to the primary. */
export interface ReplicatedServer {
  readonly url: string;
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  /** Starts a standby. Synchronous: nothing is answered before the standby has it on disk. */
  addStandby(kind: "synchronous" | "asynchronous"): Promise<void>;
  /** The standby receives nothing any more. */
  cutOff(): Promise<void>;
  /** kill -9 of the primary. */
  killPrimary(): Promise<void>;
  /** The primary that was killed starts again where it was. */
  startPrimary(): Promise<void>;
  /** The standby becomes the primary, and the address leads to it. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

export async function openReplicatedServer(): Promise<ReplicatedServer> {
  const held = new AsyncDisposableStack();
  const logins = newLogins();
  const open = async (options: PostgresOptions, fill?: (folder: string) => Promise<void>) => {
    const dataDir = await mkdtemp(join(tmpdir(), "drawdown-failover-"));
    held.defer(() => rm(dataDir, { recursive: true, force: true }));
    await chmod(dataDir, 0o711);
    const folder = join(dataDir, "postgres");
    await fill?.(folder);
    const { port, release } = await reservePort(ownPorts(1).postgres);
    held.defer(release);
    const part = await postgresPart(dataDir, port, logins, () => undefined, options);
    await part.start();
    held.defer(() => part.stop());
    return { part, port, folder, url: superuserUrl(port, logins) };
  };
  const settings = { wal_level: "replica", shared_buffers: "64MB" };
  let primary = await open({ settings });
  let standby: typeof primary | null = null;
  const target = { hostname: "127.0.0.1", port: String(primary.port) };
  const proxy = await openProxy(target, 0, ({ client, upstream }) => {
    client.pipe(upstream);
    upstream.pipe(client);
  });
  held.defer(proxy.close);

  /** Whether the primary has a standby as asked. */
  const untilStandby = (condition: string) =>
    eventually(
      `the primary's standby: ${condition}`,
      () =>
        asks(primary.url, `SELECT coalesce(bool_or(${condition}), false) FROM pg_stat_replication`),
      WITHIN_MS,
    );

  return {
    url: postgresUrl(proxy.port, logins, APPLICATION),
    ownerUrl: postgresUrl(proxy.port, logins, OWNER),
    superuserUrl: superuserUrl(proxy.port, logins),
    async addStandby(kind) {
      const { hostname, port, username, password } = new URL(primary.url);
      const source = `host=${hostname} port=${port} user=${username} password=${password}`;
      standby = await open({ settings, isCopy: true }, async (folder) => {
        await mkdir(folder, { mode: 0o700 });
        await backUp(primary.url, primary.folder, folder);
        await writeAsPostgres(join(folder, "standby.signal"), "");
        await writeAsPostgres(
          join(folder, "postgresql.auto.conf"),
          `primary_conninfo = '${source} application_name=${STANDBY}'\n`,
        );
      });
      await untilStandby("state = 'streaming'");
      if (kind === "asynchronous") return;
      await alter(primary.url, `synchronous_standby_names = '${STANDBY}'`);
      await untilStandby("sync_state = 'sync'");
    },
    async cutOff() {
      if (standby === null) throw new Error("there is no standby");
      await alter(standby.url, "primary_conninfo = ''");
      const query = "SELECT count(*) = 0 FROM pg_stat_replication";
      await eventually("the standby is cut off", () => asks(primary.url, query), WITHIN_MS);
    },
    killPrimary: () => primary.part.kill(),
    startPrimary: () => primary.part.start(),
    async failOver() {
      if (standby === null) throw new Error("there is no standby");
      await asSuperuser(standby.url, (client) => client.query("SELECT pg_promote()"));
      primary = standby;
      standby = null;
      target.port = String(primary.port);
    },
    close: () => held.disposeAsync(),
  };
}

function alter(url: string, setting: string): Promise<unknown> {
  return asSuperuser(url, async (client) => {
    await client.query(`ALTER SYSTEM SET ${setting}`);
    await client.query("SELECT pg_reload_conf()");
  });
}

/** The answer of a query with one row and one column. */
function asks(url: string, query: string): Promise<boolean> {
  return asSuperuser(url, async (client) => {
    const { rows } = await client.query({ text: query, rowMode: "array" });
    return rows[0]?.[0] === true;
  });
}
