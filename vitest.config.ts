import { defineConfig } from "vitest/config";
import LongestFirst from "./test/support/stack/longest-first.ts";

/** One run has one stack and one count, whichever projects it takes. */
export default defineConfig({
  test: {
    globalSetup: "test/support/stack/global-setup.ts",
    reporters: ["default", "./test/support/stack/count-reporter.ts"],
    // Node 24 runs the code as it is, in the tests as in the services.
    experimental: { viteModuleRunner: false },
    pool: "forks",
    sequence: { sequencer: LongestFirst },
    // For a machine that is busy with other work: a command line alone then takes seconds to start.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "services",
          include: ["test/**/*.test.ts"],
          exclude: ["test/browser/**", "test/bench/**"],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: "test/browser/build-dashboard.ts",
          // A browser beside two other files would be slow enough to time out.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
