import pg from "pg";
import { setUp } from "../../../infra/set-up.ts";
import { USAGE_BY_HAND } from "./usage-by-hand.ts";

/** The name of a database, empty as set-up leaves it, that every test file's books are copied from. */
const TEMPLATE = "TEST_TEMPLATE_DATABASE";

/** The environment variable with the URL of the role that creates databases. */
export const SUPERUSER = "TEST_SUPERUSER_URL";

/**
 * Creates the template, owned by the role of `ownerUrl`, and names it in the environment. Nothing may be
 * connected to it afterwards.
 */
export async function makeTemplate(ownerUrl: string | undefined): Promise<void> {
  const name = `template_${process.pid}`;
  await onServer((server) => server.query(`DROP DATABASE IF EXISTS ${name}`));
  const owner = ownerUrl === undefined ? "" : `OWNER ${new URL(ownerUrl).username}`;
  await onServer((server) => server.query(`CREATE DATABASE ${name} ${owner}`));
  const urls = {
    DATABASE_URL: databaseUrl(name),
    DATABASE_OWNER_URL: ownerUrl && inDatabase(ownerUrl, name),
  };
  await setUp({ ...process.env, ...urls }, () => undefined);
  await onServer((client) => client.query(USAGE_BY_HAND), name);
  process.env[TEMPLATE] = name;
}

export async function dropTemplate(): Promise<void> {
  await onServer((server) => server.query(`DROP DATABASE IF EXISTS ${templateName()}`));
}

/** Copies the template: a few dozen milliseconds, instead of half a second for the migrations. */
export async function createFromTemplate(name: string): Promise<string> {
  await onServer((server) => copyTo(server, templateName(), name));
  return databaseUrl(name);
}

/** Copies a test's database; its connections are closed. */
export async function copyDatabase(url: string, name: string): Promise<string> {
  const from = new URL(url).pathname.slice(1);
  await onServer(async (server) => {
    await server.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
      [from],
    );
    await copyTo(server, from, name);
  });
  return databaseUrl(name);
}

/** The copy has the owner of the original. Its files are copied, in half the time that logging them takes. */
async function copyTo(server: pg.Client, from: string, name: string): Promise<void> {
  const { rows } = await server.query<{ owner: string }>(
    "SELECT datdba::regrole::text AS owner FROM pg_database WHERE datname = $1",
    [from],
  );
  await server.query(
    `CREATE DATABASE ${name} TEMPLATE ${from} OWNER ${rows[0]?.owner} STRATEGY FILE_COPY`,
  );
}

export async function dropDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await onServer((server) => server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

function templateName(): string {
  return environment(TEMPLATE);
}

/** As the superuser, whom a database at `url` refuses nothing. */
export function superuserUrl(url: string): string {
  return inDatabase(environment(SUPERUSER), new URL(url).pathname.slice(1));
}

function databaseUrl(name: string): string {
  return inDatabase(environment("DATABASE_URL"), name);
}

function inDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(
      `${name} is not set: only tests outside the project "fast" of vitest.config.ts have servers`,
    );
  return value;
}

async function onServer(
  work: (server: pg.Client) => Promise<unknown>,
  database?: string,
): Promise<void> {
  const url = environment(SUPERUSER);
  const connectionString = database === undefined ? url : inDatabase(url, database);
  const server = new pg.Client({ connectionString });
  await server.connect();
  try {
    await work(server);
  } finally {
    await server.end();
  }
}
