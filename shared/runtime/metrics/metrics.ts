import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge, Registry } from "prom-client";

/** Makes the metrics of one source for one scrape. Names follow Prometheus: base units, `_total` of a counter. */
export interface Make {
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** For what is counted elsewhere: set it with one `inc`. */
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
}

/** What a process serves at `/metrics`. No label names an account. */
export interface Metrics {
  /** What is counted as it happens. */
  readonly register: Registry;
  /**
   * Reads metrics anew for each scrape. Those of a source that fails, or takes longer than 5 seconds, are left
   * out of it: nothing old is ever served as new.
   */
  source(name: string, read: (make: Make) => Promise<void> | void): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

type Read = () => Promise<string | null>;

const READ_WITHIN_MS = 5_000;

export function openMetrics(withinMs: number = READ_WITHIN_MS): Metrics {
  const register = new Registry();
  const sources = new Map<string, Read>();
  return {
    register,
    source(name, read) {
      sources.set(
        name,
        inTurn(() => readSource(read), withinMs),
      );
    },
    async text() {
      const up = new Registry();
      const isRead = makeOn(up).gauge(
        "drawdown_metrics_source_up",
        "1: this source of metrics was read; 0: its metrics are missing.",
        ["source"],
      );
      const texts = await Promise.all(
        [...sources].map(async ([source, read]) => {
          const text = await read();
          isRead.set({ source }, Number(text !== null));
          return text ?? "";
        }),
      );
      return [await register.metrics(), ...texts, await up.metrics()].join("\n");
    },
  };
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

async function readSource(read: (make: Make) => Promise<void> | void): Promise<string> {
  const register = new Registry();
  await read(makeOn(register));
  return register.metrics();
}

function makeOn(register: Registry): Make {
  return {
    gauge: (name, help, labelNames = []) =>
      new Gauge({ name, help, labelNames: [...labelNames], registers: [register] }),
    counter: (name, help, labelNames = []) =>
      new Counter({ name, help, labelNames: [...labelNames], registers: [register] }),
  };
}

/** One read at a time, which all who ask meanwhile share. Null: it failed, or has not ended in time. */
function inTurn(read: () => Promise<string>, withinMs: number): Read {
  let reading: Promise<string | null> | null = null;
  return async () => {
    reading ??= read()
      .catch(() => null)
      .finally(() => {
        reading = null;
      });
    const answered = new AbortController();
    const late = sleep(withinMs, null, { signal: answered.signal }).catch(() => null);
    return Promise.race([reading, late]).finally(() => answered.abort());
  };
}
