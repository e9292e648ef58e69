/** The commands of the tests say what they do, and refuse wrong flags before they start anything. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

function run(command: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`test/${command}/main.ts`, ...args],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

const COMMANDS = ["fire", "fuzz", "simulate", "teeth"];

test.each(COMMANDS)("%s --help", (command) => {
  const { status, stdout } = run(command, "--help");
  expect([status, stdout]).toEqual([0, expect.stringContaining(`npm run test:${command} -- `)]);
});

test.each<[command: string, flag: string, value: string]>([
  ["fire", "--unknown", "1"],
  ["fuzz", "--unknown", "1"],
  ["simulate", "--unknown", "1"],
  ["teeth", "--unknown", "1"],
  ["fire", "--minutes", "soon"],
  ["fire", "--seed", "0"],
  ["fire", "--only", "no such fault"],
  ["fuzz", "--minutes", "soon"],
  ["fuzz", "--minutes", "0"],
  ["fuzz", "--runs", "1.5"],
  ["simulate", "--accounts", "0"],
  ["simulate", "--months", "many"],
  ["simulate", "--events", ""],
  ["simulate", "--scheduler", "weekly"],
  ["simulate", "--books", "paper"],
  ["teeth", "--only", "none-of-them"],
])("%s %s %s is wrong usage", (command, flag, value) => {
  const { status, stderr } = run(command, flag, value);
  expect(status).toBe(2);
  expect(stderr).toContain(flag === "--only" ? value : flag);
  expect(stderr).toContain(`npm run test:${command} -- `);
});
