import { type Database, openDatabase, sqlState } from "../../../shared/ledger/postgres/database.ts";
import { databaseAddress } from "../../../shared/ledger/postgres/database-address.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { PartUnavailable, WrongUsage } from "./result.ts";

const UNDEFINED_TABLE = "42P01";
const UNDEFINED_COLUMN = "42703";

/**
 * Gives `work` the database. Throws PartUnavailable when Postgres cannot be reached, refuses us, is
 * lost on the way or has no tables of ours.
 */
export async function withDatabase<T>(
  settings: Settings,
  work: (database: Database) => Promise<T>,
  connections = 1,
): Promise<T> {
  const where = addressOf(settings);
  const database = openDatabase(settings.database, {
    name: "drawdown-cli",
    connections,
    onError: () => undefined, // what was waiting for the connection hears of it
  });
  try {
    await connect(database, where);
    return await work(database);
  } catch (error) {
    throw understood(error, where);
  } finally {
    await database.end();
  }
}

/** Where Postgres is said to be, without user and password. */
export function addressOf({ database }: Settings): string {
  try {
    return databaseAddress(database.url);
  } catch {
    throw new WrongUsage("DATABASE_URL is not a URL like postgres://user:password@host:5432/name");
  }
}

/** Why a server did not do what it was asked, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says only that it failed, and what failed at several addresses of a host says nothing.
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.message !== "") return error.message;
  return "code" in error ? String(error.code) : error.name;
}

async function connect(database: Database, where: string): Promise<void> {
  try {
    const client = await database.connect();
    client.release();
  } catch (error) {
    const does = sqlState(error) === null ? "cannot be reached" : "refuses the connection";
    throw new PartUnavailable(`Postgres at ${where} ${does}: ${reasonOf(error)}`);
  }
}

function understood(error: unknown, where: string): unknown {
  if (error instanceof PartUnavailable) return error;
  const state = sqlState(error);
  if (state === UNDEFINED_TABLE || state === UNDEFINED_COLUMN) {
    return new PartUnavailable(
      `Postgres at ${where} does not have the tables of this version (${reasonOf(error)}); ` +
        "run node infra/set-up.ts",
    );
  }
  if (isDatabaseOutage(error)) {
    return new PartUnavailable(
      `Postgres at ${where} was lost (${reasonOf(error)}); look whether it was done before doing it again`,
    );
  }
  return error;
}
