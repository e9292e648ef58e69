import { spawn } from "node:child_process";
import { once } from "node:events";
import { SCHEDULER_SERVICE } from "../../infra/local/services.ts";
import { type Run, runMetering } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { fillMonth, turnBySql, turnOfMonth } from "./month-books.ts";
import { spreadOf } from "./statistics.ts";
import { type Bench, backlog } from "./throughput.ts";

const { nodeOptions = [] } = SCHEDULER_SERVICE;

interface Settled {
  readonly accounts: number;
  readonly ms: number;
  readonly megabytes: number;
}

/** The turn of the month on many accounts, beside what Postgres alone takes to write it. */
export async function monthTurn(bench: Bench, accounts: number): Promise<Figure[]> {
  const turn = turnOfMonth();
  const floors: number[] = [];
  const settled: Settled[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`the month turns on ${inWords(accounts)}: round ${round + 1} of ${bench.rounds}`);
    floors.push(
      await onMonth(bench, accounts, turn, async (url) => {
        const startedAt = performance.now();
        await turnBySql(url, turn);
        return performance.now() - startedAt;
      }),
    );
    settled.push(await onMonth(bench, accounts, turn, (url) => settle(bench, url, accounts)));
  }
  const perSecond = (ms: number) => (accounts * 1000) / ms;
  return [
    {
      name: `turn of the month, ${inWords(accounts)}`,
      value: spreadOf(settled.map(({ ms }) => perSecond(ms))).median,
      unit: "accounts/s",
      beside: { name: "bare SQL", value: spreadOf(floors.map(perSecond)).median },
      ratio: spreadOf(settled.map(({ ms }, i) => (floors[i] ?? Number.NaN) / ms)),
      target: { atLeast: 0.4 },
    },
    {
      name: "memory of the scheduler meanwhile",
      value: Math.max(...settled.map(({ megabytes }) => megabytes)),
      unit: "MB",
      target: { atMost: 250 },
    },
  ];
}

/** Metering while the month turns on all accounts, those that it meters among them. */
export async function meteringAtTurn(bench: Bench, accounts: number): Promise<Figure[]> {
  const turn = turnOfMonth();
  const total = await backlog(bench, { events: bench.events, accounts: 10_000, repeatsPercent: 0 });
  const pairs: { alone: Run; during: Run }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`metering while the month turns: round ${round + 1} of ${bench.rounds}`);
    const meter = (url: string) => runMetering(bench.servers, url, total);
    const alone = await onMonth(bench, accounts, turn, async (url) => {
      await settle(bench, url, accounts);
      return meter(url);
    });
    const during = await onMonth(bench, accounts, turn, async (url) => {
      const [run] = await Promise.all([meter(url), settle(bench, url, accounts)]);
      return run;
    });
    pairs.push({ alone, during });
  }
  return [
    {
      name: "metering while the month turns",
      value: spreadOf(pairs.map(({ during }) => during.eventsPerSecond)).median,
      unit: "events/s",
      beside: {
        name: "undisturbed",
        value: spreadOf(pairs.map(({ alone }) => alone.eventsPerSecond)).median,
      },
      ratio: spreadOf(
        pairs.map((pair) => pair.during.eventsPerSecond / pair.alone.eventsPerSecond),
      ),
      target: { atLeast: 0.5 },
    },
    {
      name: "the longest that no debit was committed meanwhile",
      value: Math.max(...pairs.map(({ during }) => during.longestPauseMs)) / 1000,
      unit: "s",
      target: { atMost: 2 },
    },
  ];
}

async function onMonth<T>(
  bench: Bench,
  accounts: number,
  turn: Date,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const url = await bench.books.make(0, 1);
  try {
    await fillMonth(url, accounts, turn);
    return await work(url);
  } finally {
    await bench.books.drop(url);
  }
}

/** A run of the scheduler in a separate process. Accounts that metering settles first do not count. */
async function settle(bench: Bench, url: string, accounts: number): Promise<Settled> {
  const child = spawn(process.execPath, [...nodeOptions, "test/bench/settle-month.ts"], {
    env: { ...bench.servers.env, DATABASE_URL: url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code]: unknown[] = await once(child, "close");
  if (code !== 0) throw new Error(`the scheduler's run ended with ${code}`);
  const settled: Settled = JSON.parse(Buffer.concat(chunks).toString());
  if (settled.accounts > accounts) throw new Error("more accounts moved than there are");
  return settled;
}

function inWords(accounts: number): string {
  return `${accounts.toLocaleString("en")} accounts`;
}
