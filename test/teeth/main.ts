import { commandFlags } from "../support/command-flags.ts";
import { type Guard, type NamedBug, readBugs, withBug } from "./bug.ts";
import { type Copy, copyProject } from "./copy.ts";
import { type Row, rowsTable, writeRows } from "./page.ts";
import { runTests } from "./run-tests.ts";

const HELP = `Plants deliberate bugs in a copy of the project, one at a time, and runs the tests that have to notice.

  npm run test:teeth                             all of them, after the same tests without a bug
  npm run test:teeth -- --only lots-behind-stay  a bug by its name; may be repeated
  npm run test:teeth -- --trust                  without running the tests without a bug first
  npm run test:teeth -- --write                  writes the results of these bugs into docs/teeth.md
  npm run test:teeth -- --json                   prints the results as JSON

The bugs are files of test/teeth/bugs. Exits 1 if one survives, or a test fails without any.`;

const bugs = await readBugs();
const { only, trust, write, json } = commandFlags(
  HELP,
  {
    only: { type: "string", multiple: true },
    trust: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
  ({ only = null, ...flags }) => {
    const names = bugs.map(({ name }) => name);
    const unknown = only?.find((name) => !names.includes(name));
    if (unknown === undefined) return { only, ...flags };
    throw new RangeError(`there is no bug "${unknown}"; the bugs are ${names.join(", ")}`);
  },
);
const chosen = bugs.filter(({ name }) => only === null || only.includes(name));
const say = (line: string) => console.error(line);

const copy = await copyProject();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void copy.remove().then(() => process.exit(130)));
}
try {
  if (!trust && !(await passesWithoutBugs(copy))) process.exitCode = 1;
  else await plantAll(copy);
} finally {
  await copy.remove();
}

/** Tests that fail anyway would catch everything. */
async function passesWithoutBugs({ root }: Copy): Promise<boolean> {
  const guards = chosen.map(({ caughtBy }) => caughtBy);
  const isWhole = (guard: Guard) => guard.test === undefined;
  const runs = [guards.filter(isWhole), guards.filter((guard) => !isWhole(guard))];
  for (const run of runs.filter(({ length }) => length > 0)) {
    const files = new Set(run.map(({ file }) => file)).size;
    say(`without a bug: ${files} test files ...`);
    const { failed, passed, seconds, output } = await runTests(root, run, { untilFirst: false });
    if (failed.length === 0 && passed > 0) {
      say(`  ${passed} tests pass (${seconds.toFixed(0)} s)`);
      continue;
    }
    say(`${output}\nThese tests fail without a bug:\n${failed.join("\n")}`);
    return false;
  }
  return true;
}

async function plantAll(into: Copy): Promise<void> {
  const rows: Row[] = [];
  for (const [index, bug] of chosen.entries()) {
    say(`${index + 1}/${chosen.length} ${bug.name}: ${bug.breaks}`);
    const row = await plant(into, bug);
    if (write) writeRows(bugs, [row]);
    rows.push(row);
  }
  console.log(json ? JSON.stringify(rows.map(toJson)) : rowsTable(rows));
  const survived = rows.filter(({ test }) => test === null).length;
  say(`${rows.length - survived} of ${rows.length} caught`);
  if (survived > 0) process.exitCode = 1;
}

/** A file whose tests do not run catches nothing: it says no more than that the bug is of no use. */
async function plant(into: Copy, bug: NamedBug): Promise<Row> {
  const { file } = bug.caughtBy;
  const changed = await withBug(bug);
  await into.write(changed);
  const run = await runTests(into.root, [bug.caughtBy], { untilFirst: true });
  await into.restore(changed.keys());
  const [test = null] = run.failed;
  const seconds = `(${run.seconds.toFixed(0)} s)`;
  if (test !== null) say(`  caught by ${file}: ${test} ${seconds}`);
  else say(`${run.output}\n  ${run.passed > 0 ? "survived" : "no test ran"} ${seconds}`);
  return { bug, test, seconds: run.seconds };
}

function toJson({ bug, test, seconds }: Row) {
  const { name, breaks, promise, caughtBy } = bug;
  const caught = test !== null;
  return { name, breaks, promise, caught, file: caughtBy.file, test, seconds };
}
