import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

const PROJECT = resolve(import.meta.dirname, "../..");
const LOOK_EVERY_MS = 200;

/** Usage as `drawdown publish` reads it. */
interface Usage {
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: number;
}

/** The command line as anybody would use it: what is typed is shown, and what it answers. */
export interface Commands {
  type(...args: readonly string[]): Promise<void>;
  /** Publishes usage from a file. */
  publish(usage: readonly Usage[]): Promise<void>;
  /** Waits until what a command shows as JSON is as it should be. */
  until(what: string, args: readonly string[], isSo: (shown: unknown) => boolean): Promise<void>;
}

export function openCommands(env: NodeJS.ProcessEnv, say: (line: string) => void): Commands {
  const type: Commands["type"] = async (...args) => {
    say(`\n$ drawdown ${args.map(quoted).join(" ")}`);
    say(await drawdown(env, args));
  };
  return {
    type,
    async publish(usage) {
      const folder = await mkdtemp(join(tmpdir(), "drawdown-demo-"));
      try {
        const file = join(folder, "usage.ndjson");
        await writeFile(file, usage.map((event) => `${JSON.stringify(event)}\n`).join(""));
        await type("publish", file);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    async until(what, args, isSo) {
      const deadline = performance.now() + WITHIN_MS;
      while (!isSo(JSON.parse(await drawdown(env, [...args, "--json"])))) {
        if (performance.now() > deadline) throw new Error(`${what}: this has not come about`);
        await wait(LOOK_EVERY_MS);
      }
    },
  };
}

const WITHIN_MS = 60_000;

function quoted(arg: string): string {
  return /\s/.test(arg) ? `'${arg}'` : arg;
}

const run = promisify(execFile);

/** What the command prints; throws when it fails. */
async function drawdown(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ["services/cli/main.ts", ...args], {
    cwd: PROJECT,
    env,
  });
  return stdout.trimEnd();
}

/** A field of what a command has shown. */
export function fieldOf(shown: unknown, name: string): unknown {
  if (typeof shown !== "object" || shown === null) return undefined;
  return Object.entries(shown).find(([field]) => field === name)?.[1];
}
