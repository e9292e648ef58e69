import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The environment variable with the folder of the test Postgres' socket, where it has one. */
const SOCKETS = "TEST_POSTGRES_SOCKETS";

/** Makes the folder, which Postgres' own user can write to, and names it in the environment. */
export async function makeSocketFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "drawdown-postgres-"));
  await chmod(folder, 0o777);
  process.env[SOCKETS] = folder;
  return folder;
}

/**
 * The same database through the socket, a quarter cheaper for each statement than TCP. A URL through a
 * proxy, or of other servers, stays as it is.
 */
export function throughSocket(databaseUrl: string): string {
  const folder = process.env[SOCKETS];
  const url = new URL(databaseUrl);
  if (folder === undefined || url.host !== new URL(process.env["DATABASE_URL"] ?? "").host) {
    return databaseUrl;
  }
  url.searchParams.set("host", folder);
  return url.href;
}
