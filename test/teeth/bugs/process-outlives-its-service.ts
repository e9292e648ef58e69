import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "A service that fails leaves its process running.",
  promise: "A crashed consumer ends its process.",
  edits: [
    {
      file: "shared/runtime/run-service.ts",
      search: `"ended by an error");
    await tracing?.close();
    process.exit(1);`,
      replacement: `"ended by an error");
    await tracing?.close();
    process.exitCode = 1;
    return undefined as never;`,
    },
  ],
  caughtBy: { file: "test/runtime/run-service.test.ts" },
};
