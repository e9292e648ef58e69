import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { guardProcess, releaseProcess } from "../../../infra/local/process-guard.ts";
import { signalProcess } from "../../../infra/local/process-table.ts";
import { SERVICES, SIMULATED_GATEWAY } from "../../../infra/local/services.ts";
import type { Service } from "../../../infra/local/supervise-services.ts";
import { eventually } from "../eventually.ts";

/** A service as a real process. */
export interface ServiceProcess {
  readonly pid: number;
  /** Every line of its log so far. */
  readonly log: readonly LogLine[];
  /** Waits for a line whose message matches. */
  says(message: RegExp, withinMs?: number): Promise<LogLine>;
  /** The exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop (SIGTERM). */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: the process stalls unaware, as on a machine that swaps or a paused virtual one. */
  freeze(): void;
  thaw(): void;
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly waitMs?: number;
  readonly [field: string]: unknown;
}

/**
 * Starts a service as in production, unless `nodeEnv` is set, without waiting until it is at work:
 * `says` waits.
 */
export function startService(
  service: Service,
  env: NodeJS.ProcessEnv,
  nodeEnv = "production",
): ServiceProcess {
  const { name, nodeOptions = [] } = service;
  const log: LogLine[] = [];
  const child = spawn(process.execPath, [...nodeOptions, fileOf(service)], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, NODE_ENV: nodeEnv },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  guardProcess(pid, "TERM");
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => log.push(parse(line)));
  }
  const ended = once(child, "exit").then(([code]: unknown[]) => {
    releaseProcess(pid);
    return typeof code === "number" ? code : null;
  });
  const end = async (signal: NodeJS.Signals) => {
    signalProcess(pid, signal);
    return await ended;
  };
  return {
    pid,
    log,
    ended,
    async says(message, withinMs = 20_000) {
      const find = () => log.find(({ msg }) => message.test(msg));
      await eventually(`${name} says ${message}`, () => find() !== undefined, withinMs).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it said: ${JSON.stringify(log.slice(-10))}`);
        },
      );
      return find() as LogLine;
    },
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
    freeze: () => signalProcess(pid, "SIGSTOP"),
    thaw: () => signalProcess(pid, "SIGCONT"),
  };
}

/**
 * A service's bundle where the run has made one (test/support/stack/bundle-services.ts), else its source, as for
 * those of another version.
 */
function fileOf({ name, file }: Service): string {
  const folder = process.env["SERVICE_BUNDLES"];
  const isBundled = [...SERVICES, SIMULATED_GATEWAY].some((service) => service.file === file);
  return folder === undefined || !isBundled ? file : join(folder, `${name}.mjs`);
}

function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: "none", msg: line };
  }
}
