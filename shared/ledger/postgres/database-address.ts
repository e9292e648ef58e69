import pg from "pg";

/**
 * Where a database URL points to, without user and password: `host:port/database`. Throws when the
 * URL cannot be understood.
 */
export function databaseAddress(url: string): string {
  const { host, port, database } = new pg.Client({ connectionString: url });
  return `${host}:${port}/${database ?? ""}`;
}
