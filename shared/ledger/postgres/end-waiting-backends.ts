import pg from "pg";

const WITHIN_MS = 5_000;

// Idle between statements, or in the middle of a COPY or an answer. A backend that is gone counts too.
const END = `
  SELECT asked.pid, pg_terminate_backend(backend.pid)
  FROM unnest($1::integer[]) AS asked (pid)
  LEFT JOIN pg_stat_activity AS backend
    ON backend.pid = asked.pid AND datname = current_database() AND usename = current_user
  WHERE backend.pid IS NULL OR state LIKE 'idle%' OR wait_event_type = 'Client'`;

/**
 * Ends those of these backends that wait for their client, with the locks that they hold, and returns them;
 * others work on a statement. Over a connection of its own. Null: the server cannot be reached.
 */
export async function endWaitingBackends(
  server: pg.ClientConfig,
  pids: readonly number[],
): Promise<ReadonlySet<number> | null> {
  const client = new pg.Client({
    ...server,
    connectionTimeoutMillis: WITHIN_MS,
    query_timeout: WITHIN_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(END, [pids]);
    return new Set(rows.map(({ pid }) => pid));
  } catch (error) {
    // A server that refuses, because it has no connection left for instance, may be at work on all of them.
    return error instanceof pg.DatabaseError ? new Set() : null;
  } finally {
    void client.end().catch(() => undefined);
  }
}
