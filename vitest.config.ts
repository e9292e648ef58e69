import { defineConfig } from "vitest/config";
import { WORKERS } from "./test/support/stack/brokers.ts";
import LongestFirst from "./test/support/stack/longest-first.ts";

/** Tests that need nothing but Node: what is in these files finds no server. */
const FAST = [
  "test/{bench,catalogue,contract,core,docs,load,model,simulate,teeth}/**/*.test.ts",
  "test/runtime/!(watchdog).test.ts",
  "test/dashboard/!(first-load).test.ts",
  "test/infra/demo/!(check-books).test.ts",
  "test/infra/{kafka,kubernetes,observability,supply-chain}/*.test.ts",
  "test/metering/follow-lag.test.ts",
  "test/kafka/{codec,records}/*.test.ts",
  "test/kafka/{consume/{batch-forms,decode-columns,group-offsets,join-batches,run-reader,watch-consumer},patches/{bounded-*,quick-{gzip,partitions},read-every-batch}}.test.ts",
  "test/top-up/**/!(mock).test.ts",
  "test/api/{first-key,ingest-events,wrong-keys}.test.ts",
  "test/cli/credits/lot-text.test.ts",
  "test/cli/shell/read-lines.test.ts",
  "test/client/{event-ids,read-answer,server-sent-events}.test.ts",
  "test/ledger/postgres/{array-literal,copy-buffer,interleave,outage,work-in-sets}.test.ts",
  "test/scheduler/{follow-runs,run-by-cron}.test.ts",
  "test/webhooks/*.test.ts",
  "test/fuzz/*.test.ts",
  "test/fire/!(fire).test.ts",
  "test/infra/postgres/safe-migrations.test.ts",
  "test/fire/*/**/*.test.ts",
];
const BROWSER = ["test/browser/**/*.test.ts"];

/** The projects with servers share one stack; a run of the fast one alone boots none. */
const STACK = "test/support/stack/global-setup.ts";
const OWN_BROKER = "test/support/stack/own-broker.ts";

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/stack/count-reporter.ts"],
    // Node 24 runs the code as it is, in the tests as in the services.
    experimental: { viteModuleRunner: false },
    sequence: { sequencer: LongestFirst },
    // For a machine that is busy with other work: a command line alone then takes seconds to start.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: FAST,
          pool: "threads",
          maxWorkers: 2,
          // Pure functions leave nothing behind: each worker loads the code once for all its files.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "services",
          include: ["test/**/*.test.ts"],
          exclude: [...FAST, ...BROWSER],
          globalSetup: STACK,
          setupFiles: OWN_BROKER,
          maxWorkers: WORKERS,
          // Each worker loads the code once for all its files, and a file closes what it opens.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: BROWSER,
          globalSetup: [STACK, "test/browser/build-dashboard.ts"],
          setupFiles: OWN_BROKER,
          // A browser beside more than one other file would be slow enough to time out.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
