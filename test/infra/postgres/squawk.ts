import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { INDEX } from "../../../infra/postgres/build-indexes.ts";
import { installPython } from "../../support/python.ts";

/** The linter of migrations, which pip installs whole. */
const SQUAWK = "squawk-cli==2.70.0";
const CONFIG = join(import.meta.dirname, "../../../infra/postgres/squawk.toml");
const MIGRATIONS = new URL("../../../infra/postgres/migrations/", import.meta.url);

/** Lints SQL: the rules that it breaks, each once. */
export type Lint = (sql: string) => Promise<string[]>;

/** Null: there is no Python. */
export async function openLint(): Promise<Lint | null> {
  const python = await installPython("squawk", [SQUAWK]);
  if (python === null) return null;
  const squawk = join(dirname(python), "squawk");
  return (sql) =>
    new Promise((done, fail) => {
      const args = ["--config", CONFIG, "--reporter", "json"];
      const child = execFile(squawk, args, (_error, stdout, stderr) => {
        try {
          const found = JSON.parse(stdout) as { rule_name: string }[];
          done([...new Set(found.map(({ rule_name }) => rule_name))].toSorted());
        } catch {
          fail(new Error(`squawk said: ${stdout}${stderr}`));
        }
      });
      child.stdin?.end(sql);
    });
}

/** What a migration does on its way up, with its indexes as set-up builds them. */
export async function readUp(file: string): Promise<string> {
  const [up = ""] = (await readFile(new URL(file, MIGRATIONS), "utf8")).split("-- Down Migration");
  return up.replace(INDEX, (create) =>
    create.replace("INDEX IF NOT EXISTS", "INDEX CONCURRENTLY IF NOT EXISTS"),
  );
}
