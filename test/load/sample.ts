import { readdirSync, readFileSync } from "node:fs";
import { unreadBy } from "../fire/load/drain.ts";
import type { Scene } from "../fire/open-scene.ts";
import type { Member } from "../fire/stage/member.ts";

/** How everything stands at an instant. */
export interface Sample {
  /** Milliseconds since the process began. */
  readonly at: number;
  readonly published: number;
  /** Messages that the books have gone past. */
  readonly metered: number;
  readonly unread: number;
  readonly processes: readonly ProcessSample[];
  /** To Postgres, of all services. */
  readonly connections: number;
  /** Tables whose rows come and go. */
  readonly queueBytes: number;
  /** All others, which grow with usage. */
  readonly historyBytes: number;
}

export interface ProcessSample {
  readonly name: string;
  readonly service: string;
  /** Undefined: it is not running. */
  readonly pid: number | undefined;
  /** Of resident memory; 10^6 bytes. */
  readonly megabytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
  readonly live: HealthAnswer;
  readonly ready: HealthAnswer;
}

export interface HealthAnswer {
  /** Null: there was no answer in time. */
  readonly status: number | null;
  readonly ms: number;
  /** The names of what is down. */
  readonly down: readonly string[];
}

const HEALTH_WITHIN_MS = 10_000;

const STATE = `
  WITH queues AS (
    SELECT sum(pg_total_relation_size(name::regclass)) AS bytes
    FROM unnest(ARRAY['outbox', 'balance_change', 'account', 'consumer_offset', 'auto_top_up']) AS name
  )
  SELECT (SELECT coalesce(sum(next_offset), 0) FROM consumer_offset
          WHERE consumer = 'metering' AND topic = 'usage.events')::float8 AS metered,
         (SELECT count(*) FROM pg_stat_activity
          WHERE application_name LIKE 'drawdown-%')::integer AS connections,
         queues.bytes::float8 AS "queueBytes",
         (pg_database_size(current_database()) - queues.bytes)::float8 AS "historyBytes"
  FROM queues`;

type State = Pick<Sample, "metered" | "connections" | "queueBytes" | "historyBytes">;

export async function takeSample({ stage, journal, database, admin }: Scene): Promise<Sample> {
  const members = stage.members.filter(({ isIn }) => isIn);
  const [{ rows }, unread, ...processes] = await Promise.all([
    database.query<State>(STATE),
    unreadBy(admin, database, "metering", "usage.events"),
    ...members.map(sampleProcess),
  ]);
  const [state] = rows;
  if (state === undefined) throw new Error("the books did not say how they stand");
  const published = journal.sent.length;
  return { at: performance.now(), published, unread: Number(unread), processes, ...state };
}

async function sampleProcess({ name, service, pid, healthPort }: Member): Promise<ProcessSample> {
  const [live, ready] = await Promise.all([
    askHealth(healthPort, "/livez"),
    askHealth(healthPort, "/readyz"),
  ]);
  return {
    ...{ name, service, pid, live, ready },
    megabytes: pid === undefined ? 0 : megabytesOf(pid),
    descriptors: pid === undefined ? 0 : descriptorsOf(pid),
  };
}

async function askHealth(port: number, path: string): Promise<HealthAnswer> {
  const from = performance.now();
  try {
    const signal = AbortSignal.timeout(HEALTH_WITHIN_MS);
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
    const { checks } = (await response.json()) as { checks: Record<string, { status: string }> };
    const down = Object.entries(checks).flatMap(([name, { status }]) =>
      status === "up" ? [] : name,
    );
    return { status: response.status, ms: performance.now() - from, down };
  } catch {
    return { status: null, ms: performance.now() - from, down: [] };
  }
}

function megabytesOf(pid: number): number {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(ofProcess(pid, readStatus) ?? "") ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

function descriptorsOf(pid: number): number {
  return ofProcess(pid, () => readdirSync(`/proc/${pid}/fd`).length) ?? 0;
}

function readStatus(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, "utf8");
}

/** Undefined: it has just ended. */
function ofProcess<T>(pid: number, read: (pid: number) => T): T | undefined {
  try {
    return read(pid);
  } catch {
    return undefined;
  }
}
