import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Run, startProcess, timed } from "./consume.ts";
import { peakMegabytes } from "./cpu.ts";
import { type Figure, rateFigure } from "./figure.ts";
import type { Bench } from "./throughput.ts";
import { countTopUps, fillPayers, type Payers } from "./top-up-books.ts";
import { startGateway, TOP_UP_ARGS } from "./top-up-processes.ts";

const MEGABYTES = { unit: "MB", target: { atMost: 250 } } as const;
/** The remainder when the clock stops: the last ones are no longer charged concurrently. */
const TAIL = 250;
/** Counting takes a millisecond or two of the core that it measures on. */
const COUNT_EVERY_MS = 100;
const PENDING_IN_MEMORY = 100_000;
const MEMORY_WATCHED_MS = 20_000;

/** Top-ups charged by a gateway that answers immediately, beside the gateway without any books. */
export async function topUpRate(bench: Bench, payments: number): Promise<Figure[]> {
  const pairs: { floor: Run; subject: Run }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`${payments} pending top-ups: round ${round + 1} of ${bench.rounds}`);
    const floor = await bareCharges(bench, payments);
    pairs.push({ floor, subject: await chargePending(bench, payments) });
  }
  return [
    { ...rateFigure("top-ups, instant gateway", pairs, "bare charges"), unit: "top-ups/s" },
    {
      name: "memory of the top-up service meanwhile",
      value: Math.max(...pairs.map(({ subject }) => subject.peakMegabytes)),
      ...MEGABYTES,
    },
  ];
}

async function bareCharges({ servers }: Bench, payments: number): Promise<Run> {
  const gateway = await startGateway(servers.env, 0);
  try {
    const args = ["test/bench/bare-charges.ts", gateway.url, payments.toString()];
    const child = startProcess(servers, { args, stdout: "pipe" });
    let done = 0;
    child.stdout?.on("data", (lines: Buffer) => {
      done = Number(lines.toString().trim().split("\n").at(-1));
    });
    return await timed(servers, child, payments - TAIL, async () => done, COUNT_EVERY_MS);
  } finally {
    await gateway.stop();
  }
}

async function chargePending(bench: Bench, payments: number): Promise<Run> {
  const { servers } = bench;
  return onPayers(bench, { accounts: payments, state: "pending" }, async (url, pool) => {
    const gateway = await startGateway(servers.env, 0);
    try {
      const child = startProcess(servers, { args: TOP_UP_ARGS, url, settings: gateway.settings });
      return await timed(
        servers,
        child,
        payments - TAIL,
        () => countTopUps(pool, 0, payments),
        COUNT_EVERY_MS,
      );
    } finally {
      await gateway.stop();
    }
  });
}

/** The memory of the service while countless payments are pending and their gateway never answers. */
export async function topUpMemory(bench: Bench): Promise<Figure[]> {
  const { servers } = bench;
  bench.say(`${PENDING_IN_MEMORY} pending top-ups, and no answer`);
  const card = "card_timeout_after_charge";
  const payers: Payers = { accounts: PENDING_IN_MEMORY, state: "pending", card };
  const value = await onPayers(bench, payers, async (url, pool) => {
    const gateway = await startGateway(servers.env, 0);
    const child = startProcess(servers, { args: TOP_UP_ARGS, url, settings: gateway.settings });
    try {
      await sleep(MEMORY_WATCHED_MS);
      const { rowCount } = await pool.query("SELECT FROM payment WHERE calls > 0");
      if (rowCount === 0) throw new Error("the top-up service has called no gateway");
      return peakMegabytes(child.pid ?? 0);
    } finally {
      child.kill("SIGKILL");
      await gateway.stop();
    }
  });
  const pending = PENDING_IN_MEMORY.toLocaleString("en");
  return [{ name: `memory of the top-up service, ${pending} pending`, value, ...MEGABYTES }];
}

/** New books of payers for as long as `work` takes. */
export async function onPayers<T>(
  bench: Bench,
  payers: Payers,
  work: (url: string, pool: pg.Pool) => Promise<T>,
): Promise<T> {
  const url = await bench.books.make(0, 1);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  try {
    await fillPayers(url, payers);
    return await work(url, pool);
  } finally {
    await pool.end();
    await bench.books.drop(url);
  }
}
