import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newLogins, postgresPart, postgresUrl, superuserUrl } from "../../infra/local/postgres.ts";
import { reservePort } from "../../infra/local/reserve-port.ts";
import { APPLICATION, OWNER } from "../../infra/postgres/create-roles.ts";
import { eventually } from "../support/eventually.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { asSuperuser, backUp, writeAsPostgres } from "../support/stack/postgres-folder.ts";

const WITHIN_MS = 60_000;

/** A Postgres of its own that archives its WAL and is restored as docs/operating.md says. */
export interface ArchivingServer {
  readonly url: string;
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  /** Copies the data folder while the server works. */
  backUp(): Promise<void>;
  /** Resolves when all WAL of now is in the archive; returns how many bytes of WAL it has. */
  archiveAll(): Promise<number>;
  /** kill -9, and the data folder is gone. */
  lose(): Promise<void>;
  /** From the base backup and the archive, as things were at an instant; resolves once it can be written to. */
  restore(to: string): Promise<void>;
  close(): Promise<void>;
}

export async function openArchivingServer(): Promise<ArchivingServer> {
  const held = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "drawdown-restore-"));
  held.defer(() => rm(dataDir, { recursive: true, force: true }));
  const [folder, archive, backup] = ["postgres", "archive", "backup"].map((name) =>
    join(dataDir, name),
  ) as [string, string, string];
  await mkdir(archive);
  await mkdir(backup);
  for (const [path, mode] of [
    [dataDir, 0o711],
    [archive, 0o777],
  ] as const)
    await chmod(path, mode);
  const { port, release } = await reservePort(ownPorts(1).postgres);
  held.defer(release);
  const logins = newLogins();
  const settings = {
    ...{ wal_level: "replica", archive_mode: "on", shared_buffers: "64MB" },
    archive_command: `test ! -f ${archive}/%f && cp %p ${archive}/%f`,
  };
  const part = await postgresPart(dataDir, port, logins, () => undefined, { settings });
  await part.start();
  held.defer(() => part.stop());
  const url = superuserUrl(port, logins);
  return {
    url: postgresUrl(port, logins, APPLICATION),
    ownerUrl: postgresUrl(port, logins, OWNER),
    superuserUrl: url,
    backUp: () => backUp(url, folder, backup),
    async archiveAll() {
      await asSuperuser(url, async (client) => {
        const { rows } = await client.query("SELECT pg_walfile_name(pg_switch_wal()) AS name");
        const isThere = () =>
          stat(join(archive, rows[0].name)).then(
            () => true,
            () => false,
          );
        await eventually("the WAL is in the archive", isThere, WITHIN_MS);
      });
      const sizes = (await readdir(archive)).map(
        async (name) => (await stat(join(archive, name))).size,
      );
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    },
    async lose() {
      await part.kill();
      await rm(folder, { recursive: true });
    },
    async restore(to) {
      await rename(backup, folder);
      await writeAsPostgres(join(folder, "recovery.signal"), "");
      await writeAsPostgres(
        join(folder, "postgresql.auto.conf"),
        [
          `restore_command = 'cp ${archive}/%f "%p"'`,
          `recovery_target_time = '${to}'`,
          "recovery_target_action = promote",
        ].join("\n"),
      );
      await part.start();
      await eventually(
        "the server is restored",
        () =>
          asSuperuser(url, async (client) => {
            const { rows } = await client.query("SELECT pg_is_in_recovery() AS restoring");
            return !rows[0].restoring;
          }),
        WITHIN_MS,
      );
    },
    close: () => held.disposeAsync(),
  };
}
