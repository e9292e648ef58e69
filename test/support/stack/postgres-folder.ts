import { execFile } from "node:child_process";
import { chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { postgresUser } from "../../../infra/local/postgres-binaries.ts";

const run = promisify(execFile);

/** Over a connection of its own. */
export async function asSuperuser<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Copies the data folder of a server at work, with owners and rights, as docs/operating.md says. */
export function backUp(url: string, from: string, to: string): Promise<void> {
  return asSuperuser(url, async (client) => {
    await client.query("SELECT pg_backup_start('test', fast => true)");
    await copyFolder(from, to);
    const { rows } = await client.query("SELECT labelfile FROM pg_backup_stop()");
    await writeAsPostgres(join(to, "backup_label"), rows[0].labelfile);
  });
}

/** As the user that Postgres runs as. */
export async function writeAsPostgres(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  const user = await postgresUser();
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Without what belongs to the running server. */
async function copyFolder(from: string, to: string): Promise<void> {
  const without = ["./pg_wal/*", "./postmaster.pid", "./postmaster.opts"];
  const excluded = without.map((path) => `--exclude='${path}'`).join(" ");
  // 1: a file changed while it was read, which the WAL makes good.
  const read = `tar -C ${from} ${excluded} -cf - . || [ $? -eq 1 ]`;
  await run("sh", ["-c", `{ ${read}; } | tar -C ${to} -xpf -`]);
}
