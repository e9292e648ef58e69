import { atMost, type Figure, told } from "./figure.ts";
import type { HealthAnswer, ProcessSample, Sample } from "./sample.ts";

/** Megabytes (10^6 bytes) of resident memory that a process of each service may take, however far behind it is. */
const MOST_MEGABYTES = { metering: 400, "top-up": 300, scheduler: 300, api: 300 } as const;
/** A check of health gives a server two seconds to answer. */
const HEALTH_WITHIN_MS = 5_000;
/** What the pools of all processes of the stage take together: two of each service. */
const MOST_CONNECTIONS = 2 * (6 + 12 + 4 + 24);

const MEGABYTE = 1e6;

/** No process outgrows its bound, ends, or leaves a question for its health unanswered. */
export function boundFigures(samples: readonly Sample[]): Figure[] {
  return [...memoryFigures(samples), ...healthFigures(samples), ended(samples)];
}

/** Nothing grows in the last third of the samples over what it was in the second. */
export function flatFigures(samples: readonly Sample[]): Figure[] {
  const third = Math.floor(samples.length / 3);
  const middle = samples.slice(third, 2 * third);
  const last = samples.slice(2 * third);
  const largest = (of: readonly Sample[], size: (sample: Sample) => number) =>
    Math.max(...of.map(size));
  const flat = (what: string, unit: string, size: (sample: Sample) => number, room: number) => {
    const before = largest(middle, size);
    return atMost(`${what}, largest of the last third`, largest(last, size), before + room, unit);
  };
  const services = new Set(samples.flatMap(({ processes }) => processes.map((one) => one.service)));
  return [
    ...[...services].map((service) => {
      const size = (sample: Sample) => largestOf(sample, service, ({ megabytes }) => megabytes);
      return flat(`memory of ${service}`, "MB", size, 10 + largest(middle, size) / 10);
    }),
    ...[...services].map((service) => {
      const size = (sample: Sample) => largestOf(sample, service, (one) => one.descriptors);
      return flat(`open files and sockets of ${service}`, "open", size, 10);
    }),
    flat("connections to Postgres", "open", ({ connections }) => connections, 4),
    flat("tables whose rows come and go", "MB", ({ queueBytes }) => queueBytes / MEGABYTE, 2),
    atMost(
      "disk for each event in the last third",
      bytesAnEvent(last),
      bytesAnEvent(middle) * 1.25 + 50,
      "B",
    ),
  ];
}

function bytesAnEvent(samples: readonly Sample[]): number {
  const [from, to] = [samples[0], samples.at(-1)];
  if (from === undefined || to === undefined) return Number.NaN;
  return (to.historyBytes - from.historyBytes) / Math.max(1, to.metered - from.metered);
}

function largestOf(
  { processes }: Sample,
  service: string,
  size: (one: ProcessSample) => number,
): number {
  return Math.max(...processes.filter((one) => one.service === service).map(size));
}

function memoryFigures(samples: readonly Sample[]): Figure[] {
  const connections = Math.max(...samples.map((sample) => sample.connections));
  return [
    ...Object.entries(MOST_MEGABYTES).map(([service, most]) => {
      const sizes = samples.map((sample) => largestOf(sample, service, (one) => one.megabytes));
      return atMost(`memory of ${service}`, Math.max(...sizes), most, "MB");
    }),
    atMost("connections to Postgres", connections, MOST_CONNECTIONS, "open"),
  ];
}

function healthFigures(samples: readonly Sample[]): Figure[] {
  const all = samples.flatMap(({ processes }) => processes);
  const answers = all.flatMap(({ live, ready }) => [live, ready]);
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  const notLive = all.filter(({ live }) => live.status !== 200);
  const unready = all.filter(({ ready }) => ready.status === 503);
  return [
    atMost("slowest answer for health", slowest, HEALTH_WITHIN_MS, "ms"),
    atMost("without an answer", answers.filter(isUnanswered).length, 0, `of ${answers.length}`),
    atMost("/livez that is not 200", notLive.length, 0, `of ${all.length}`),
    told("/readyz that is 503", `${unready.length} of ${all.length}${reasons(unready)}`),
  ];
}

function isUnanswered({ status }: HealthAnswer): boolean {
  return status === null;
}

function reasons(unready: readonly ProcessSample[]): string {
  const named = new Set(
    unready.flatMap(({ service, ready }) => ready.down.map((what) => `${service} ${what}`)),
  );
  return named.size === 0 ? "" : ` (${[...named].join(", ")})`;
}

/** A process that was replaced has another id. */
function ended(samples: readonly Sample[]): Figure {
  const ids = new Map<string, Set<number | undefined>>();
  for (const { name, pid } of samples.flatMap(({ processes }) => processes)) {
    ids.set(name, (ids.get(name) ?? new Set()).add(pid));
  }
  const replaced = [...ids].filter(([, pids]) => pids.size > 1).map(([name]) => name);
  return {
    what: "processes that ended",
    value: replaced.length === 0 ? "none" : replaced.join(", "),
    bound: "none",
    isWell: replaced.length === 0,
  };
}
