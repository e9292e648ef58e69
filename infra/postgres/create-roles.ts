import { randomBytes } from "node:crypto";
import pg from "pg";

/** Owns the books' tables and migrates them: the role of set-up. */
export const OWNER = "drawdown_owner";
/** Changes rows of the books: the role of the services and the command line. */
export const APPLICATION = "drawdown_app";
/** Owns the schema registry's database, and sees nothing of the books. */
export const REGISTRY = "drawdown_registry";

export const BOOKS_DATABASE = "drawdown";
export const REGISTRY_DATABASE = "registry";

type Role = typeof OWNER | typeof APPLICATION | typeof REGISTRY;
export type Passwords = Readonly<Record<Role, string>>;

/** Without quotes and backslashes, so that it needs no escape in SQL and URLs. */
export function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

const DATABASES = [
  { name: BOOKS_DATABASE, owner: OWNER },
  { name: REGISTRY_DATABASE, owner: REGISTRY },
] as const;

/** What an administrator of Postgres runs once, with passwords of its own. docs/trust.md shows it. */
export const STATEMENTS = [
  ...[OWNER, APPLICATION, REGISTRY].map((role) => `CREATE ROLE ${role} LOGIN PASSWORD '...';`),
  ...DATABASES.map(({ name, owner }) => `CREATE DATABASE ${name} OWNER ${owner};`),
  ...DATABASES.map(({ name }) => rightsOf(name)),
  `GRANT CONNECT ON DATABASE ${BOOKS_DATABASE} TO ${APPLICATION};`,
];

function rightsOf(database: string): string {
  return `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`;
}

/**
 * Creates the roles and databases that are missing and sets the passwords, as a superuser. Databases of a
 * stack that had one role for everything get their owners. Running it again changes only passwords.
 */
export async function createRoles(superuserUrl: string, passwords: Passwords): Promise<void> {
  await withClient(superuserUrl, "postgres", async (client) => {
    for (const role of [OWNER, APPLICATION, REGISTRY] as const) {
      const verb = (await exists(client, "pg_roles WHERE rolname", role)) ? "ALTER" : "CREATE";
      const password = client.escapeLiteral(passwords[role]);
      await client.query(
        `${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${password}`,
      );
    }
    for (const { name, owner } of DATABASES) {
      if (await exists(client, "pg_database WHERE datname", name)) {
        await client.query(`ALTER DATABASE ${name} OWNER TO ${owner}`);
      } else {
        await client.query(`CREATE DATABASE ${name} OWNER ${owner}`);
      }
      await client.query(rightsOf(name));
    }
    await client.query(`GRANT CONNECT ON DATABASE ${BOOKS_DATABASE} TO ${APPLICATION}`);
  });
  for (const { name, owner } of DATABASES) {
    await withClient(superuserUrl, name, (client) => giveTables(client, owner));
  }
}

async function exists(client: pg.Client, where: string, name: string): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT FROM ${where} = $1`, [name]);
  return rowCount !== 0;
}

// A sequence of a column follows its table.
const OTHERS_TABLES = `
  SELECT oid::regclass::text AS name
  FROM pg_class
  WHERE relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p', 'v', 'S')
    AND relowner <> $1::regrole
    AND NOT EXISTS (
      SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i') AND relkind = 'S')`;

// Those of extensions stay. What the services call runs with its owner's rights.
const OTHERS_FUNCTIONS = `
  SELECT oid::regprocedure::text AS name
  FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace
    AND proowner <> $1::regrole
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')`;

async function giveTables(client: pg.Client, owner: string): Promise<void> {
  const others = { TABLE: OTHERS_TABLES, FUNCTION: OTHERS_FUNCTIONS };
  for (const [kind, ofOthers] of Object.entries(others)) {
    const { rows } = await client.query<{ name: string }>(ofOthers, [owner]);
    for (const { name } of rows) await client.query(`ALTER ${kind} ${name} OWNER TO ${owner}`);
  }
}

async function withClient<T>(
  superuserUrl: string,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const url = Object.assign(new URL(superuserUrl), { pathname: `/${database}` });
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined); // a lost connection fails the current query
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

if (import.meta.main) {
  const given = (name: string) => {
    const value = process.env[name];
    if (value === undefined || value === "") throw new Error(`${name} is not set`);
    return value;
  };
  await createRoles(given("DATABASE_SUPERUSER_URL"), {
    [OWNER]: given("DATABASE_OWNER_PASSWORD"),
    [APPLICATION]: given("DATABASE_PASSWORD"),
    [REGISTRY]: given("REGISTRY_DATABASE_PASSWORD"),
  });
}
