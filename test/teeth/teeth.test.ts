import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT, readBugs, withBug } from "./bug.ts";
import { cellsOf, readRows } from "./page.ts";

const bugs = await readBugs();

test.each(bugs)("bug $name can still be planted, and its test exists", async (bug) => {
  const changed = await withBug(bug);
  expect([...changed.keys()]).toEqual([...new Set(bug.edits.map(({ file }) => file))]);
  expect(existsSync(join(ROOT, bug.caughtBy.file))).toBe(true);
});

test("docs/teeth.md has every bug of the list as it is, and each caught (npm run test:teeth -- --write)", () => {
  const rows = readRows();
  expect([...rows.keys()]).toEqual(bugs.map(({ name }) => name));
  for (const bug of bugs) {
    const [name, breaks, promise, by] = rows.get(bug.name) ?? [];
    const expected = cellsOf({ bug, test: "", seconds: 0 });
    expect([name, breaks, promise]).toEqual(expected.slice(0, 3));
    expect(by).toContain(expected[3]);
    expect(by).toContain(bug.caughtBy.test ?? "");
  }
});

test("a bug whose code has moved on is named, with what it looked for", async () => {
  const [bug] = bugs;
  if (bug === undefined) throw new Error("there are no bugs");
  const edits = [{ file: "package.json", search: "no such text", replacement: "" }];
  await expect(withBug({ ...bug, edits })).rejects.toThrow(
    `bug ${bug.name}: package.json has 0 times what it replaces, not once: no such text`,
  );
});

test("a bug is planted and caught in a copy", async () => {
  const command = ["test/teeth/main.ts", "--only", "low-balance-said-twice", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT });
  expect(JSON.parse(stdout)).toMatchObject([
    {
      name: "low-balance-said-twice",
      caught: true,
      test: "a balance is low > but not published again while it stays low",
    },
  ]);
});
