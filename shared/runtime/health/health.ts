import { type Ask, makeCheck, type Problem } from "./check.ts";

/** What a service has that may be unwell. Each has a name, which the report shows. */
export interface Health {
  /** A server that the service needs. */
  server(name: string, ask: Ask): void;
  /** Anything else that has to be well for the service to do its work. */
  state(name: string, ask: Ask): void;
  /**
   * Work that has to go on by itself: for how many milliseconds it has stood still. A restart is due once it has
   * stood for the limit although every server was up for as long.
   */
  work(name: string, standsForMs: () => number): void;
  /** The service is at work. */
  started(): void;
}

/** Null: all is well. */
export type Report = Readonly<Record<string, Problem | null>>;

export interface HealthReports {
  /** Whether this process can do its work: with its servers. */
  readiness(): Promise<Report>;
  /** Whether only a restart helps. An outage of a server never shows here. */
  liveness(): Promise<Report>;
}

type Check = () => Promise<Problem | null>;

/** `limitMs`: how long work may stand still. */
export function openHealth(
  limitMs: number,
  stopping: AbortSignal,
  now: () => number = () => performance.now(),
): Health & HealthReports {
  const servers = new Map<string, Check>();
  const states = new Map<string, Check>();
  const works = new Map<string, () => number>();
  let hasStarted = false;
  /** Since when all servers have been seen up while work stood still. */
  let upSince: number | null = null;

  states.set(
    "process",
    makeCheck(() => {
      if (stopping.aborted) return { reason: "it is stopping" };
      return hasStarted ? null : { reason: "it has not started its work yet" };
    }),
  );

  const standing = (name: string, standsForMs: () => number): [string, Problem | null] => {
    const forMs = standsForMs();
    if (forMs < limitMs) return [name, null];
    const reason = `it has not moved for ${Math.round(forMs / 1000)} s`;
    return [name, { reason, since: Date.now() - Math.round(forMs) }];
  };
  const stands = () => [...works].map(([name, standsForMs]) => standing(name, standsForMs));

  async function haveServersBeenUp(): Promise<boolean> {
    const standsForMs = Math.max(...[...works.values()].map((ask) => ask()));
    // What was seen up before the work last moved was seen in another standstill.
    if (upSince !== null && now() - upSince > standsForMs) upSince = null;
    const found = await Promise.all([...servers.values()].map((check) => check()));
    if (found.some((problem) => problem !== null)) upSince = null;
    else upSince ??= now();
    return upSince !== null && now() - upSince >= limitMs;
  }

  return {
    server: (name, ask) => void servers.set(name, makeCheck(ask)),
    state: (name, ask) => void states.set(name, makeCheck(ask)),
    work: (name, standsForMs) => void works.set(name, standsForMs),
    started() {
      hasStarted = true;
    },
    async readiness() {
      const asked = [...servers, ...states].map(
        async ([name, check]): Promise<[string, Problem | null]> => [name, await check()],
      );
      return Object.fromEntries([...(await Promise.all(asked)), ...stands()]);
    },
    async liveness() {
      const found = stands();
      const isWell = found.every(([, problem]) => problem === null);
      if (isWell) upSince = null;
      else if (await haveServersBeenUp()) return Object.fromEntries(found);
      return Object.fromEntries(found.map(([name]) => [name, null]));
    },
  };
}
