import { type Database, queryRow } from "./database.ts";
import { databaseAddress } from "./database-address.ts";

const OLDEST = 18;
const ENCODING = "UTF8";

const SERVER = `
  SELECT current_setting('server_version') AS version,
         current_setting('server_version_num')::int / 10000 AS major,
         current_setting('server_encoding') AS encoding,
         current_setting('transaction_read_only') = 'on' AS "onlyReads"`;

/** The server or the database is none that can keep the books. */
class UnfitServer extends Error {}

/**
 * Throws UnfitServer, which says what to do, unless the database can keep the books: in another encoding, the
 * first id with a character that it lacks would end metering, again and again.
 */
export async function requireServer(database: Database): Promise<void> {
  const where = `Postgres at ${databaseAddress(String(database.options.connectionString))}`;
  type Row = { version: string; major: number; encoding: string; onlyReads: boolean };
  const server = await queryRow<Row>(database, SERVER);
  if (server === null) return;
  const { version, major, encoding, onlyReads } = server;
  if (major < OLDEST) {
    throw new UnfitServer(`${where} is version ${version}; ${OLDEST} or newer is needed`);
  }
  if (encoding !== ENCODING) {
    throw new UnfitServer(
      `${where} has the encoding ${encoding}, which does not have every character of ids and texts; ` +
        `make a database with ENCODING '${ENCODING}' (from template0), and move what this one has`,
    );
  }
  if (onlyReads) {
    throw new UnfitServer(
      `${where} only reads: it is a standby, or default_transaction_read_only is on`,
    );
  }
}
