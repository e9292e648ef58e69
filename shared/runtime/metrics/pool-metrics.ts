import type { Metrics } from "./metrics.ts";

/** What a pool of connections tells of itself. */
export interface CountedPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: { readonly max: number };
}

/** Shows how far the pools of a process are used. */
export function poolMetrics(metrics: Metrics, pools: Readonly<Record<string, CountedPool>>): void {
  metrics.source("pools", ({ gauge }) => {
    const most = gauge("drawdown_pool_connections_max", "Most connections to Postgres.", ["pool"]);
    const open = gauge("drawdown_pool_connections", "Open connections to Postgres.", [
      "pool",
      "state",
    ]);
    const waiting = gauge("drawdown_pool_waiting", "Work that waits for a connection.", ["pool"]);
    for (const [pool, { totalCount, idleCount, waitingCount, options }] of Object.entries(pools)) {
      most.set({ pool }, options.max);
      open.set({ pool, state: "idle" }, idleCount);
      open.set({ pool, state: "busy" }, totalCount - idleCount);
      // The pool queues also what an idle connection, or one that it may still open, takes at once.
      const free = idleCount + options.max - totalCount;
      waiting.set({ pool }, Math.max(0, waitingCount - free));
    }
  });
}
