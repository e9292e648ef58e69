import pg from "pg";
import { expect, test } from "vitest";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { PoolerBetween } from "../../../shared/ledger/postgres/refuse-pooler.ts";

/** An outage is waited out; anything else ends what asked. */
test.each<[error: string, error: unknown, isOutage: boolean]>([
  ["a connection that is refused", failed("connect ECONNREFUSED 10.0.0.7:5432"), true],
  ["a connection that takes too long", failed("timeout exceeded when trying to connect"), true],
  ["a server that has no connection left", refused("53300"), true],
  ["a server that shuts down", refused("57P01"), true],
  ["a server that only reads", refused("25006"), true],
  ["a key that is there already", refused("23505"), false],
  ["a table that is not there", refused("42P01"), false],
  ["a bug", new TypeError("undefined is not a function"), false],
  [
    "a pooler that names a setting of ours",
    new PoolerBetween(
      "DATABASE_URL",
      "unsupported startup parameter in options: statement_timeout",
    ),
    false,
  ],
])("%s", (_, error, isOutage) => {
  expect(isDatabaseOutage(error)).toBe(isOutage);
});

function failed(message: string): Error {
  return new Error(message);
}

function refused(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError("refused", 7, "error"), { code });
}
