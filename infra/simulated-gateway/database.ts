import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    account_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    customer TEXT NOT NULL,
    method TEXT NOT NULL,
    behaviour TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'processing', 'declined')),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS payment_of_key ON payment (key, seq);
  CREATE INDEX IF NOT EXISTS payment_of_account ON payment (account_id, seq);
  CREATE INDEX IF NOT EXISTS payment_processing ON payment (created_at) WHERE status = 'processing';

  CREATE TABLE IF NOT EXISTS taken_back (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payment TEXT NOT NULL REFERENCES payment (id),
    key TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'chargeback')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS taken_back_of_key ON taken_back (key, seq);
  CREATE INDEX IF NOT EXISTS taken_back_of_payment ON taken_back (payment, seq);

  CREATE TABLE IF NOT EXISTS card_script (
    method TEXT PRIMARY KEY,
    script TEXT NOT NULL,
    used INTEGER NOT NULL
  ) STRICT;
`;

/** Stores of before had a unique key, and no instant of what was taken back. */
const VERSION = 1;
const UPGRADE = `
  PRAGMA foreign_keys = OFF;
  PRAGMA legacy_alter_table = ON;
  BEGIN;
  ALTER TABLE payment RENAME TO payment_before;
  ALTER TABLE taken_back RENAME TO taken_back_before;
  ${SCHEMA}
  INSERT INTO payment SELECT * FROM payment_before;
  INSERT INTO taken_back SELECT *, 0 FROM taken_back_before;
  DROP TABLE taken_back_before;
  DROP TABLE payment_before;
  COMMIT;
  PRAGMA legacy_alter_table = OFF;
  PRAGMA foreign_keys = ON;
`;

/**
 * Opens the store in `folder`, and creates it if needed. Commits are durable. A second process fails
 * with "database is locked". Integers are read as bigint.
 */
export function openDatabase(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "gateway.sqlite"), { readBigInts: true });
  try {
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    );
    if (isOfBefore(database)) database.exec(UPGRADE);
    database.exec(`${SCHEMA} PRAGMA user_version = ${VERSION};`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isOfBefore(database: DatabaseSync): boolean {
  const found = database.prepare(
    `SELECT 1 FROM pragma_user_version, sqlite_schema
     WHERE user_version < ${VERSION} AND name = 'payment'`,
  );
  return found.get() !== undefined;
}

/** Runs `work` as one transaction; if it throws, nothing is stored. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK"); // a failed COMMIT may have rolled back already
    throw error;
  }
}
