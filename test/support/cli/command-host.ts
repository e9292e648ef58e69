/**
 * A process that runs one command after another, each as `services/cli/main.ts` would in a separate
 * process: with its arguments and environment, and with its output and exit code sent back. Loading the
 * code takes ten times as long as most commands.
 */
import { loadProgram } from "../../../services/cli/program.ts";
import { runProgram } from "../../../services/cli/shell/run-command.ts";
import type { CommandToRun, Ran } from "./drawdown.ts";

process.on("message", ({ args, env }: CommandToRun) => void run(args, env));
process.on("disconnect", () => process.exit());

async function run(args: CommandToRun["args"], env: CommandToRun["env"]): Promise<void> {
  process.argv = [process.argv0, "drawdown", ...args];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = 0;
  const written = { stdout: "", stderr: "" };
  using _out = capture(process.stdout, (text) => (written.stdout += text));
  using _err = capture(process.stderr, (text) => (written.stderr += text));
  const code = await runProgram(await loadProgram(args[0]));
  process.send?.({ code, ...written } satisfies Ran);
}

/** Redirects writes on a stream to `take`, until disposed. */
function capture(stream: NodeJS.WriteStream, take: (text: string) => void): Disposable {
  const write = stream.write.bind(stream);
  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    take(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    const done = rest.at(-1);
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  return {
    [Symbol.dispose]() {
      stream.write = write;
    },
  };
}
