/** Migrations run while the version before works: docs/operating.md, "How do I upgrade". */
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openLint, readUp } from "./squawk.ts";

/** Those before were written before the rule. Whoever has run them need not run them again, so they stay. */
const FIRST_LINTED = "0057";
/** What takes away something that a version before may use. */
const CONTRACTS = /squawk-ignore.*\b(ban-drop|renaming|changing-column-type)/;
const SAYS_FOR_WHOM = "UPDATE oldest_version SET migration = ";

const files = await readdir(new URL("../../../infra/postgres/migrations/", import.meta.url));
const linted = files.filter((file) => file >= FIRST_LINTED).toSorted();
const lint = await openLint();

test.each(linted)("%s says which versions it takes something from", async (file) => {
  const up = await readUp(file);
  if (CONTRACTS.test(up)) expect(up).toContain(SAYS_FOR_WHOM);
});

describe.skipIf(lint === null)("what is linted", () => {
  test.each(linted)("%s holds up no version that runs beside it", async (file) => {
    expect(await lint?.(await readUp(file))).toEqual([]);
  });

  test.each([
    ["ALTER TABLE entry ALTER COLUMN reference TYPE varchar(9)", "changing-column-type"],
    ["ALTER TABLE entry ALTER COLUMN reference SET NOT NULL", "adding-not-nullable-field"],
    ["ALTER TABLE entry ADD COLUMN id uuid DEFAULT gen_random_uuid()", "adding-field-with-default"],
    ["ALTER TABLE entry ADD COLUMN at timestamptz NOT NULL", "adding-required-field"],
    ["CREATE INDEX entry_at ON entry (posted_at)", "require-concurrent-index-creation"],
    ["ALTER TABLE entry ADD CHECK (credits <> 0)", "constraint-missing-not-valid"],
    ["ALTER TABLE entry ADD UNIQUE (reference)", "disallowed-unique-constraint"],
    ["ALTER TABLE entry DROP COLUMN reference", "ban-drop-column"],
    ["ALTER TABLE entry RENAME COLUMN reference TO named", "renaming-column"],
    ["ALTER TABLE entry RENAME TO entries", "renaming-table"],
    ["DROP TABLE entry", "ban-drop-table"],
  ])("%s is found", async (sql, rule) => {
    expect(await lint?.(`${sql};`)).toContain(rule);
  });

  test("migrations from before the rule break it, and are found", async () => {
    expect(await lint?.(await readUp("0032_spend_on_account.sql"))).toContain("renaming-table");
    expect(await lint?.(await readUp("0035_any_sums.sql"))).toContain("changing-column-type");
  });

  test("an index that set-up builds beside the writers is fine", async () => {
    expect(await lint?.(await readUp("0053_ended_holds.sql"))).toEqual([]);
  });
});
