import { type Database, queryRow, queryRows } from "./database.ts";
import { databaseAddress } from "./database-address.ts";

/** The newest migration of this version. */
export const NEWEST_MIGRATION = "0062_restorable_charges";

/** How the tables of this version are made, from its sources and from its image. */
export const RUN_SET_UP =
  "run set-up of this version (npm run set-up, or node infra/set-up.js in its image)";

const HOW_TO_GO_BACK = 'docs/operating.md, "How do I go back", says how';

/** The tables are those of another version, with which this one cannot work. */
export class OtherSchema extends Error {}

// A schema that the role may not enter has no tables for it.
const TABLES = `
  SELECT relname::text AS name
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = 'public' AND relname IN ('migration', 'oldest_version')`;

const VERSIONS = `
  SELECT EXISTS (SELECT FROM migration WHERE name = $1) AS migrated,
         (SELECT max(name COLLATE "C") FROM migration) AS newest,
         (SELECT migration FROM oldest_version) AS oldest`;

/**
 * Throws OtherSchema, which says what to do, unless this version can work with the tables: they have its
 * migrations, and none of a newer version has taken away what it uses.
 */
export async function requireSchema(database: Database): Promise<void> {
  const where = databaseAddress(String(database.options.connectionString));
  const tables = await queryRows<{ name: string }>(database, TABLES);
  const has = (table: string) => tables.some(({ name }) => name === table);
  const lacks = (what: string) =>
    new OtherSchema(
      `Postgres at ${where} does not have the tables of this version (${what}); ${RUN_SET_UP}`,
    );
  if (!has("migration")) throw lacks("it has none");
  if (!has("oldest_version")) throw lacks(`no migration ${NEWEST_MIGRATION}`);
  type Row = { migrated: boolean; newest: string; oldest: string | null };
  const versions = await queryRow<Row>(database, VERSIONS, [NEWEST_MIGRATION]);
  if (versions?.migrated !== true) throw lacks(`no migration ${NEWEST_MIGRATION}`);
  const { newest, oldest } = versions;
  if (oldest === null || oldest <= NEWEST_MIGRATION) return;
  throw new OtherSchema(
    `Postgres at ${where} has the tables of a newer version (migration ${newest}), which need a version with ` +
      `migration ${oldest} or newer; this one has ${NEWEST_MIGRATION}: run the newer version (${HOW_TO_GO_BACK})`,
  );
}
