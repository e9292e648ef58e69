import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests in a real browser: `npm run test:browser`. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    include: ["test/browser/**/*.test.ts"],
    experimental: { viteModuleRunner: false },
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
