import { type Database, type Queryable, queryRow, queryRows } from "./database.ts";
import { refusePooler } from "./refuse-pooler.ts";

// Of what migrations made. What a view shows, and which migrations there were, is only read. Partitions are
// reached through their table. Functions with the owner's rights are closed to everyone else.
const MISSING = `
  WITH migrated AS (
    SELECT relnamespace AS namespace, relowner AS owner
    FROM pg_class
    WHERE oid = to_regclass('public.migration')
  )
  SELECT array_agg(privilege ORDER BY place) AS privileges, relname::text AS name
  FROM migrated
  JOIN pg_class ON relnamespace = namespace AND relowner = owner
  CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) WITH ORDINALITY AS wanted (privilege, place)
  WHERE relkind IN ('r', 'p', 'v')
    AND NOT relispartition
    AND (privilege = 'SELECT' OR (relkind <> 'v' AND relname <> 'migration'))
    AND NOT has_table_privilege($1, pg_class.oid, privilege)
  GROUP BY relname
  UNION ALL
  SELECT '{EXECUTE}', 'FUNCTION ' || pg_proc.oid::regprocedure
  FROM migrated
  JOIN pg_proc ON pronamespace = namespace AND proowner = owner
  WHERE prosecdef AND NOT has_function_privilege($1, pg_proc.oid, 'EXECUTE')
  ORDER BY name`;

const ROLE = `
  SELECT role, quote_ident(role) AS quoted, has_schema_privilege(role, oid, 'USAGE') AS enters
  FROM (SELECT coalesce($1, current_user)::text AS role) AS of_services
  JOIN pg_namespace ON nspname = 'public'`;

/** Rights that a role of Postgres lacks, as the statements that grant them. */
export interface MissingRights {
  readonly role: string;
  readonly grants: readonly string[];
}

/**
 * What a role lacks of the rights that the services need in the schema public: to read and to change
 * rows, but never tables, other than by the functions made for it. Without a role: the one of this connection.
 */
export async function missingRights(database: Queryable, role?: string): Promise<MissingRights> {
  const found = await queryRow<{ role: string; quoted: string; enters: boolean }>(database, ROLE, [
    role ?? null,
  ]);
  if (found === null) return { role: role ?? "", grants: [] };
  const schema = found.enters ? [] : [`GRANT USAGE ON SCHEMA public TO ${found.quoted}`];
  const objects = await queryRows<{ name: string; privileges: string[] }>(database, MISSING, [
    found.role,
  ]);
  const grants = objects.map(
    ({ name, privileges }) => `GRANT ${privileges.join(", ")} ON ${name} TO ${found.quoted}`,
  );
  return { role: found.role, grants: [...schema, ...grants] };
}

/** The role of this connection may not do what the services do. */
export class RightsMissing extends Error {}

/**
 * Throws RightsMissing, which says what to grant, unless the role has every right, and PoolerBetween unless the
 * connections are Postgres's own.
 */
export async function requireRights(database: Database): Promise<void> {
  await refusePooler(database);
  const { role, grants } = await missingRights(database);
  const [first, ...others] = grants;
  if (first === undefined) return;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  throw new RightsMissing(
    `the role ${role} of Postgres lacks rights: set-up grants them (npm run set-up with DATABASE_OWNER_URL), or the tables' owner by: ${first}${more}`,
  );
}
