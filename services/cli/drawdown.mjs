#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=30
// The flags keep the heap small: a command that reads a whole topic makes short-lived garbage only.
// Plain JavaScript, so that an old Node can run this file and report that it is too old.
import { existsSync } from "node:fs";
import module from "node:module";

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(
    `drawdown needs Node ${OLDEST_NODE} or newer; this is Node ${process.versions.node}.`,
  );
  process.exitCode = 2;
} else {
  // Code that is compiled already starts in half the time.
  module.enableCompileCache?.();
  // A checkout runs the TypeScript sources; an installed package runs the compiled files.
  const source = new URL("./main.ts", import.meta.url);
  import(existsSync(source) ? source : new URL("../../dist/services/cli/main.js", import.meta.url));
}
