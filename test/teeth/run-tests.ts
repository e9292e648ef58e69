import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Guard } from "./bug.ts";

/** Longer than each test's own limit. */
const WITHIN_MS = 10 * 60_000;

export interface TestRun {
  /** Names of the tests that failed, in the order of the file; a file that cannot be loaded has none. */
  readonly failed: readonly string[];
  readonly passed: number;
  readonly seconds: number;
  /** The end of what was printed. */
  readonly output: string;
}

/** Runs tests of a copy of the project; with `untilFirst` only until one has failed. */
export async function runTests(
  root: string,
  guards: readonly Guard[],
  { untilFirst }: { readonly untilFirst: boolean },
): Promise<TestRun> {
  const startedAt = performance.now();
  const report = join(root, ".local/teeth.json");
  await rm(report, { force: true });
  const names = guards.flatMap(({ test }) => (test === undefined ? [] : [RegExp.escape(test)]));
  const files = new Set(guards.map(({ file }) => file));
  const output = await vitest(root, [
    ...files,
    ...(names.length > 0 ? ["--testNamePattern", names.join("|")] : []),
    ...(untilFirst ? ["--bail", "1"] : []),
    ...["--reporter", "default", "--reporter", "json", `--outputFile=${report}`],
  ]);
  const { failed, passed } = await readReport(report);
  return { failed, passed, seconds: (performance.now() - startedAt) / 1000, output };
}

/** Of the report of Vitest in JSON. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

async function vitest(root: string, options: readonly string[]): Promise<string> {
  const command = join(root, "node_modules/vitest/vitest.mjs");
  // A group of its own: what tests have started ends with it.
  const child = spawn(process.execPath, [command, "run", ...options], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  const limit = setTimeout(end, WITHIN_MS);
  process.on("exit", end);
  let output = "";
  const keep = (text: Buffer) => {
    output = (output + text).slice(-8_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  await once(child, "close");
  clearTimeout(limit);
  process.off("exit", end);
  return output;
}

async function readReport(report: string): Promise<Pick<TestRun, "failed" | "passed">> {
  const text = await readFile(report, "utf8").catch(() => null);
  if (text === null) return { failed: [], passed: 0 };
  const { testResults }: Report = JSON.parse(text);
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const withStatus = (status: string) => tests.filter((test) => test.status === status);
  return {
    failed: withStatus("failed").map(({ ancestorTitles, title }) =>
      [...ancestorTitles, title].join(" > "),
    ),
    passed: withStatus("passed").length,
  };
}
