import { resolve } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { FIRST_LOAD_LIMIT, firstLoad, sizeOf } from "./build/first-load.ts";

/** Built files refer to each other relatively, since the API serves them under /dashboard/. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [preact(), reportFirstLoad()],
  build: {
    outDir: resolve(import.meta.dirname, "../../dist/dashboard"),
    emptyOutDir: true,
    target: "es2022",
    // The page's content security policy forbids data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

function reportFirstLoad(): Plugin {
  let outDir = "";
  return {
    name: "report-first-load",
    apply: "build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    async closeBundle() {
      const size = sizeOf(await firstLoad(outDir));
      const report = `first load: ${kilobytes(size)} gzipped, of at most ${kilobytes(FIRST_LOAD_LIMIT)}`;
      if (size > FIRST_LOAD_LIMIT) this.error(report);
      this.info(report);
    },
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
