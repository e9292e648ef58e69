#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=30
// With a small young generation, collected early: a command that reads a whole topic makes garbage only.
// Plain JavaScript that an old Node parses too: this file is what tells it that it is too old.
import { existsSync } from "node:fs";
import module from "node:module";

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(
    `drawdown needs Node ${OLDEST_NODE} or newer; this is Node ${process.versions.node}.`,
  );
  process.exitCode = 2;
} else {
  // What was compiled once starts in half the time.
  module.enableCompileCache?.();
  // A checkout holds the source, which Node runs as it is; an installed package what was compiled of it.
  const source = new URL("./main.ts", import.meta.url);
  import(existsSync(source) ? source : new URL("../../dist/services/cli/main.js", import.meta.url));
}
