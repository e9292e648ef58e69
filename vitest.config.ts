import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/bench/**"],
    globalSetup: "test/stack/global-setup.ts",
    reporters: ["default", "./test/stack/count-reporter.ts"],
    // Node 24 runs the code as it is, in the tests as in the services.
    experimental: { viteModuleRunner: false },
    pool: "forks",
    maxWorkers: 2,
    // For a machine that is busy with other work: a command line alone then takes seconds to start.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
