import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
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
  CREATE INDEX IF NOT EXISTS payment_of_account ON payment (account_id, seq);
  CREATE INDEX IF NOT EXISTS payment_processing ON payment (created_at) WHERE status = 'processing';

  CREATE TABLE IF NOT EXISTS taken_back (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payment TEXT NOT NULL REFERENCES payment (id),
    key TEXT UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'chargeback')),
    amount INTEGER NOT NULL CHECK (amount > 0)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS taken_back_of_payment ON taken_back (payment, seq);

  CREATE TABLE IF NOT EXISTS card_script (
    method TEXT PRIMARY KEY,
    script TEXT NOT NULL,
    used INTEGER NOT NULL
  ) STRICT;
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
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
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
