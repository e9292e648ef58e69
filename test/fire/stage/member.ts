import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { signalProcess } from "../../../infra/local/process-table.ts";
import {
  type Service,
  type Supervision,
  superviseServices,
} from "../../../infra/local/supervise-services.ts";
import type { Ways } from "./ways.ts";

/** Restarts soon, so that what is measured is the service and not its supervisor's patience. */
const RESTARTS = { firstMs: 500, longestMs: 2_000, healthyAfterMs: 5_000 };
const STOP_WITHIN_MS = 20_000;

/** One process of a service, started again whenever it ends. */
export interface Member {
  /** Such as `metering-2`. */
  readonly name: string;
  readonly service: string;
  readonly ways: Ways;
  /** The port that it serves, if any. */
  readonly port: number | null;
  /** Where it answers `/livez` and `/readyz`. */
  readonly healthPort: number;
  /** Undefined while none is running. */
  readonly pid: number | undefined;
  /** Whether it is meant to run. */
  readonly isIn: boolean;
  /** When it last logged this message, in this process's clock; -Infinity: never. */
  lastSaid(message: string): number;
  signal(signal: NodeJS.Signals): void;
  /** Adds it to the services that run; `env` is over its own. */
  join(env?: Readonly<Record<string, string>>): void;
  /** Stops it gracefully, without a restart. */
  leave(): Promise<void>;
  kill(): Promise<void>;
}

export interface MemberOptions {
  readonly name: string;
  readonly service: Service;
  readonly ways: Ways;
  readonly port: number | null;
  readonly healthPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keeps `<name>.log`. */
  readonly logDir: string;
  /** Told when it ends and is restarted. */
  readonly note: (line: string) => void;
}

export function createMember(options: MemberOptions): Member {
  const { name, service, ways, port, healthPort, note } = options;
  const said = new Map<string, number>();
  let running: Supervision | undefined;

  function listen(log: NodeJS.WritableStream, line: string): void {
    const prefix = `${name} | `;
    if (!line.startsWith(prefix)) return void note(line);
    const text = line.slice(prefix.length);
    log.write(`${text}\n`);
    const message = messageOf(text);
    if (message !== null) said.set(message, Date.now());
  }

  return {
    ...{ name, service: service.name, ways, port, healthPort },
    get pid() {
      return running?.pidOf(name);
    },
    get isIn() {
      return running !== undefined;
    },
    lastSaid: (message) => said.get(message) ?? Number.NEGATIVE_INFINITY,
    signal(signal) {
      const pid = running?.pidOf(name);
      if (pid !== undefined) signalProcess(pid, signal);
    },
    join(env = {}) {
      if (running !== undefined) throw new Error(`${name} runs already`);
      const log = createWriteStream(join(options.logDir, `${name}.log`), { flags: "a" });
      running = superviseServices([{ ...service, name }], {
        env: { ...options.env, ...env },
        say: (line) => listen(log, line),
        waits: RESTARTS,
        stopWithinMs: STOP_WITHIN_MS,
      });
    },
    async leave() {
      const leaving = running;
      running = undefined;
      await leaving?.stop();
    },
    async kill() {
      const leaving = running;
      running = undefined;
      await leaving?.kill();
    },
  };
}

function messageOf(text: string): string | null {
  try {
    return String((JSON.parse(text) as { msg?: unknown }).msg);
  } catch {
    return null;
  }
}
