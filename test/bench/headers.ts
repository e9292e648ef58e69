import { randomBytes } from "node:crypto";
import type { Run } from "./consume.ts";
import { cpuFigure, type Figure, rateFigure } from "./figure.ts";
import type { Load } from "./load.ts";
import { type Bench, backlog, metering, onBooks } from "./throughput.ts";

const ACCOUNTS = 10_000;

/** As OpenTelemetry's instrumentation of a producer sets it on every message: 55 bytes. */
function traceparent() {
  const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  return { traceparent: `00-${traceId}-${spanId}-01` };
}

const THREE = () => ({
  ...traceparent(),
  tracestate: "vendor=00f067aa0ba902b7",
  baggage: "tenant=acme,region=eu-central-1",
});

/** Messages with headers, which metering does not need, beside the same without. */
export async function messagesWithHeaders(bench: Bench): Promise<Figure[]> {
  const runs = { none: [] as Run[], one: [] as Run[], three: [] as Run[] };
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`headers: round ${round + 1} of ${bench.rounds}`);
    runs.none.push(await metered(bench, {}));
    runs.one.push(await metered(bench, { headers: traceparent }));
    runs.three.push(await metered(bench, { headers: THREE }));
  }
  const besideNone = (subjects: readonly Run[]) =>
    runs.none.flatMap((floor, round) => {
      const subject = subjects[round];
      return subject === undefined ? [] : [{ subject, floor }];
    });
  return [
    rateFigure("metering, a traceparent on each", besideNone(runs.one), "none", { atLeast: 0.95 }),
    cpuFigure("CPU, a traceparent on each", besideNone(runs.one), "none"),
    rateFigure("metering, three headers on each", besideNone(runs.three), "none"),
    cpuFigure("CPU, three headers on each", besideNone(runs.three), "none"),
  ];
}

async function metered(bench: Bench, more: Pick<Load, "headers">): Promise<Run> {
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0, ...more };
  const total = await backlog(bench, load);
  return onBooks(bench, ACCOUNTS, 1, (url) => metering(bench, url, total));
}
