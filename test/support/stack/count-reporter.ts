import type { SerializedError } from "vitest";
import type { Reporter, TestModule, TestRunEndReason, TestSuite } from "vitest/node";

type Counts = { passed: number; failed: number; skipped: number };

/** Ends a run with one line: "12 passed, 0 failed, 1 skipped"; the last part only where there is one. */
export default class CountReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) add(module, counts);
    const { passed, skipped } = counts;
    // The servers did not start, or no file was found. Skipped tests (no browser) are reported as such.
    const isNothing = reason !== "passed" || passed + skipped === 0;
    const failed = counts.failed === 0 && isNothing ? 1 : counts.failed;
    console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }
}

/** A file that could not be loaded and a hook that failed count as failures: their tests did not run. */
function add(module: TestModule, counts: Counts): void {
  counts.failed += module.errors().length;
  for (const suite of module.children.allSuites()) counts.failed += errorsOf(suite);
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === "passed" || state === "failed") counts[state] += 1;
    else counts.skipped += 1;
  }
}

function errorsOf(suite: TestSuite): number {
  return suite.errors().length;
}
