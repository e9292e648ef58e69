import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const VITEST = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/** Runs tests in a process of their own, which writes where this one does; returns its exit code. */
export function runVitest(
  options: readonly string[],
  environment: Readonly<Record<string, string>>,
): number {
  const { status } = spawnSync(process.execPath, [VITEST, "run", ...options], {
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  return status ?? 1;
}
