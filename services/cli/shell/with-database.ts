import { type Database, openDatabase, sqlState } from "../../../shared/ledger/postgres/database.ts";
import { databaseAddress } from "../../../shared/ledger/postgres/database-address.ts";
import { RightsMissing, requireRights } from "../../../shared/ledger/postgres/missing-rights.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { PoolerBetween, refusePooler } from "../../../shared/ledger/postgres/refuse-pooler.ts";
import { OtherSchema, requireSchema } from "../../../shared/ledger/postgres/require-schema.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { PartUnavailable, WrongUsage } from "./result.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

interface ConnectOptions {
  readonly connections?: number;
  /** Without the tables of this version. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Runs `work` with a connection to Postgres. Throws PartUnavailable when Postgres cannot be reached,
 * refuses the connection, is lost on the way, has tables with which this version cannot work, or does not
 * let its role use them.
 */
export async function withDatabase<T>(
  settings: Settings,
  work: (database: Database) => Promise<T>,
  { connections = 1, mayBeEmpty = false }: ConnectOptions = {},
): Promise<T> {
  const where = addressOf(settings);
  const database = openDatabase(settings.database, {
    name: "drawdown-cli",
    connections,
    onError: () => undefined, // the query that used the connection fails
  });
  try {
    await connect(database, where);
    if (!mayBeEmpty) await requireSchema(database);
    return await work(database);
  } catch (error) {
    if (sqlState(error) === INSUFFICIENT_PRIVILEGE) await explainRights(database);
    throw explained(error, where);
  } finally {
    await database.end();
  }
}

/**
 * Waits for a change of the books. When Postgres is lost before it answers, the change may be
 * committed or not: throws PartUnavailable with a sentence about what that means and what to do.
 */
export async function orUnknown<T>(change: Promise<T>, sentence: string): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!isDatabaseOutage(error)) throw error;
    throw new PartUnavailable(`the connection to Postgres was lost; ${sentence}`);
  }
}

/** The address of Postgres, without user and password. */
export function addressOf({ database }: Settings): string {
  try {
    return databaseAddress(database.url);
  } catch {
    throw new WrongUsage("DATABASE_URL is not a URL like postgres://user:password@host:5432/name");
  }
}

/** Why a server failed, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch keeps the reason in its cause; a host whose addresses all fail gives a code and no message.
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.message !== "") return error.message;
  return "code" in error ? String(error.code) : error.name;
}

async function connect(database: Database, where: string): Promise<void> {
  try {
    await refusePooler(database);
  } catch (error) {
    if (error instanceof PoolerBetween) throw new PartUnavailable(error.message);
    const does = sqlState(error) === null ? "cannot be reached" : "refuses the connection";
    throw new PartUnavailable(`Postgres at ${where} ${does}: ${reasonOf(error)}`);
  }
}

/** Throws PartUnavailable if the connection's role lacks rights. */
export async function explainRights(database: Database): Promise<void> {
  try {
    await requireRights(database);
  } catch (error) {
    throw error instanceof RightsMissing ? new PartUnavailable(error.message) : error;
  }
}

function explained(error: unknown, where: string): unknown {
  if (error instanceof PartUnavailable) return error;
  if (error instanceof OtherSchema) return new PartUnavailable(error.message);
  if (isDatabaseOutage(error)) {
    return new PartUnavailable(
      `Postgres at ${where} was lost (${reasonOf(error)}); check whether the command took effect before running it again`,
    );
  }
  return error;
}
