import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

/** User plus system CPU seconds of each of the three that do the work, Postgres with its backends. */
export interface CpuSeconds {
  readonly node: number;
  readonly postgres: number;
  readonly kafka: number;
}

export function cpuSeconds(pids: { node: number; postgres: number; kafka: number }): CpuSeconds {
  const backends = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== null && stat.parent === pids.postgres);
  const postmaster = statOf(pids.postgres);
  return {
    node: ownCpuSeconds(pids.node),
    kafka: ownCpuSeconds(pids.kafka),
    postgres:
      (postmaster?.own ?? 0) +
      (postmaster?.ended ?? 0) +
      backends.reduce((sum, stat) => sum + (stat?.own ?? 0), 0),
  };
}

export function cpuBetween(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  return {
    node: after.node - before.node,
    postgres: after.postgres - before.postgres,
    kafka: after.kafka - before.kafka,
  };
}

/** The largest resident memory that a process has had, in megabytes (10^6 bytes). */
export function peakMegabytes(pid: number): number {
  const [, kilobytes = "0"] =
    /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

/** User plus system CPU seconds of one process; 0: there is none with this id. */
export function ownCpuSeconds(pid: number): number {
  return statOf(pid)?.own ?? 0;
}

function statOf(pid: number): { parent: number; own: number; ended: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // After the command's name in brackets: state, parent, ... utime, stime, cutime, cstime.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const seconds = (from: number) =>
    ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) / TICKS_PER_SECOND;
  return { parent: fields[1] ?? 0, own: seconds(11), ended: seconds(13) };
}
