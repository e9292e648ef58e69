import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { LOW_BALANCE_READER, USAGE_READER } from "../../shared/core/text/topics.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { METERING_ARGS, startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { skipBacklog } from "./latency.ts";
import { accountName } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";
import { onPayers } from "./top-up.ts";
import { CROSSING, countTopUps, type Lifted, readLifted } from "./top-up-books.ts";
import { startGateway, TOP_UP_ARGS } from "./top-up-processes.ts";

const GATEWAY_MS = 50;
/** The number of accounts that cross their threshold per second: few, and the target's many. */
const FEW = 5;
const MANY = 100;
const LONGEST_MS = 1_000;
/** The first crossings are warm-up and do not count. */
const WARM_UP = MANY * 3;
const ALL_LIFTED_WITHIN_MS = 60_000;
const TICK_MS = 2;
const STOP_WITHIN_MS = 10_000;

const STEPS = ["debit", "pending", "to the gateway", "answer", "lot"] as const;

/** From the event that crosses the threshold to the lot that lifts it, beside the gateway's own time. */
export async function topUpLatency(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: { few: Lifted[]; many: Lifted[] }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`from crossing to lot: round ${round + 1} of ${bench.rounds}`);
    const { few, many } = await crossings(bench, seconds);
    bench.say(`  ${FEW}/s: ${stepsText(few)}`);
    bench.say(`  ${MANY}/s: ${stepsText(many)}`);
    rounds.push({ few, many });
  }
  return [
    ...figuresOf(
      FEW,
      rounds.map(({ few }) => few),
    ),
    ...figuresOf(
      MANY,
      rounds.map(({ many }) => many),
    ),
  ];
}

function figuresOf(perSecond: number, rounds: readonly (readonly Lifted[])[]): Figure[] {
  return [0.5, 0.99].map((q) => {
    const ms = rounds.map((lifted) => quantileOf(lifted, q, ({ totalMs }) => totalMs));
    return {
      name: `crossing to lot, p${q * 100}, ${perSecond} crossings/s`,
      value: spreadOf(ms).median,
      unit: "ms",
      beside: { name: "gateway", value: GATEWAY_MS },
      ratio: spreadOf(ms.map((each) => each / GATEWAY_MS)),
      ...(perSecond === MANY && q === 0.99
        ? { target: { atMost: LONGEST_MS, of: "value" as const } }
        : {}),
    };
  });
}

/** Accounts cross, each once: those that warm up, then few and then many in each second. */
async function crossings(
  bench: Bench,
  seconds: number,
): Promise<{ few: Lifted[]; many: Lifted[] }> {
  const fewUntil = WARM_UP + FEW * seconds;
  const manyUntil = fewUntil + MANY * seconds;
  return onPayers(
    bench,
    { accounts: manyUntil, state: "above their threshold" },
    async (url, pool) => {
      await skipBacklog(bench, pool, USAGE_READER);
      await skipBacklog(bench, pool, LOW_BALANCE_READER);
      const gateway = await startGateway(bench.servers.env, GATEWAY_MS);
      const services = [METERING_ARGS, TOP_UP_ARGS].map((args) =>
        startProcess(bench.servers, { args, url, settings: gateway.settings }),
      );
      try {
        await crossAll(bench, pool, { from: 0, to: WARM_UP, perSecond: MANY });
        await crossAll(bench, pool, { from: WARM_UP, to: fewUntil, perSecond: FEW });
        await crossAll(bench, pool, { from: fewUntil, to: manyUntil, perSecond: MANY });
        return {
          few: await readLifted(pool, WARM_UP, fewUntil),
          many: await readLifted(pool, fewUntil, manyUntil),
        };
      } finally {
        await Promise.all(services.map(stop));
        await gateway.stop();
      }
    },
  );
}

/** Has accounts cross at a steady pace, and waits until each is lifted. */
async function crossAll(
  bench: Bench,
  pool: pg.Pool,
  { from, to, perSecond }: { from: number; to: number; perSecond: number },
): Promise<void> {
  const { kafka, registry } = readSettings(bench.servers.env);
  const client = openUsageClient({ kafka, registry, source: "bench" });
  const published: Promise<unknown>[] = [];
  const startedAt = performance.now();
  for (let account = from; account < to; ) {
    const due = from + ((performance.now() - startedAt) * perSecond) / 1000;
    for (; account < Math.min(due, to); account += 1) {
      published.push(client.publish({ accountId: accountName(account), ...CROSSING }));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(published);
  await client.close();
  const lifted = async () => (await countTopUps(pool, from, to)) === to - from;
  await eventually(`lots for accounts ${from} to ${to}`, lifted, ALL_LIFTED_WITHIN_MS);
}

/** With a clean stop, so that the next member of its group does not wait for this one. */
async function stop(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const late = setTimeout(() => service.kill("SIGKILL"), STOP_WITHIN_MS);
  service.kill("SIGTERM");
  await once(service, "exit");
  clearTimeout(late);
}

/** Where the time goes: the median of each step, in turn. */
function stepsText(lifted: readonly Lifted[]): string {
  return STEPS.map((step, at) => {
    const ms = quantileOf(lifted, 0.5, ({ stepsMs }) => stepsMs[at] ?? Number.NaN);
    return `${step} ${ms.toFixed(0)} ms`;
  }).join(", ");
}

function quantileOf(
  lifted: readonly Lifted[],
  q: number,
  msOf: (lifted: Lifted) => number,
): number {
  return quantile(
    lifted.map(msOf).sort((a, b) => a - b),
    q,
  );
}
