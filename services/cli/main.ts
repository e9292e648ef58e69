#!/usr/bin/env node
import { loadProgram } from "./program.ts";
import { runProgram } from "./shell/run-command.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader has closed the pipe: `drawdown lots acme | head`.
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
process.exitCode = await runProgram(await loadProgram(process.argv[2]));
await new Promise((resolve) => process.stdout.write("", resolve));
// An open connection to a server that does not answer would keep the process alive.
process.exit();
