import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type LocalAllowance, openLocalAllowance } from "../../shared/client/local-allowance.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Database, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { METERING_ARGS, startProcess } from "./consume.ts";
import type { Figure } from "./figure.ts";
import { accountName } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const ACCOUNTS = 10_000;
const GRANTS_PER_SECOND = 100;
const ANSWERS = 200_000;
const START_MS = 60_000;
const LOT = { source: "promotion", reference: "", end: { kind: "never" } } as const;

/** How long an answer in the caller's process takes, and how far it is behind a commit. */
export async function localAllowance(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: { readonly answers: number[]; readonly delays: number[] }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`local allowance: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await measure(bench, seconds));
  }
  const p99 = (of: "answers" | "delays") =>
    spreadOf(rounds.map((round) => quantile(round[of], 0.99))).median;
  return [
    {
      name: `local allowance, ${ACCOUNTS.toLocaleString("en")} accounts, p99`,
      ...{ value: p99("answers"), unit: "microseconds", target: { atMost: 50 } },
    },
    {
      name: `local allowance behind a commit, ${GRANTS_PER_SECOND} commits/s, p99`,
      ...{ value: p99("delays"), unit: "ms", target: { atMost: 1_000 } },
    },
  ];
}

async function measure(bench: Bench, seconds: number) {
  const url = await bench.books.make(ACCOUNTS, 1);
  const settings = readSettings({ ...bench.servers.env, DATABASE_URL: url });
  const options = { name: "bench", connections: 8, onError: () => undefined };
  const database = openDatabase(settings.database, options);
  const metering = startProcess(bench.servers, { args: METERING_ARGS, url });
  const { kafka, registry } = settings;
  const allowance = openLocalAllowance({ kafka, registry });
  const names = Array.from({ length: ACCOUNTS }, (_, at) => accountName(at));
  try {
    await noteAll(database);
    await allowance.ready(START_MS);
    const isKnown = (name: string) => allowance.allows(name, 0n).available !== null;
    await eventually("all accounts are known", () => names.every(isKnown), START_MS);
    const answers = timeAnswers(allowance, names);
    const delays = await timeCommits(
      database,
      allowance,
      names.slice(0, seconds * GRANTS_PER_SECOND),
    );
    return { answers, delays };
  } finally {
    await allowance.close();
    metering.kill("SIGTERM");
    if (metering.exitCode === null && metering.signalCode === null) await once(metering, "exit");
    await database.end();
    await bench.books.drop(url);
  }
}

/** The accounts of a copy of books were published by nobody. */
async function noteAll(database: Database): Promise<void> {
  await database.query(
    "INSERT INTO balance_change (account_ids) SELECT array_agg(account_id) FROM account",
  );
}

/** In microseconds, sorted. */
function timeAnswers(allowance: LocalAllowance, names: readonly string[]): number[] {
  const answers: number[] = [];
  for (let at = 0; at < ANSWERS; at += 1) {
    const name = names[(at * 7_919) % names.length] ?? "";
    const from = performance.now();
    allowance.allows(name, 1n);
    answers.push((performance.now() - from) * 1_000);
  }
  return answers.sort((a, b) => a - b);
}

/** From the commit of a grant to the first answer that knows it, in milliseconds, sorted. */
async function timeCommits(
  database: Database,
  allowance: LocalAllowance,
  names: readonly string[],
): Promise<number[]> {
  const waiting = new Map<string, { readonly before: bigint | null; readonly at: number }>();
  const delays: number[] = [];
  const availableOf = (name: string) => allowance.allows(name, 0n).available;
  const look = setInterval(() => {
    for (const [name, { before, at }] of waiting) {
      if (availableOf(name) === before) continue;
      delays.push(performance.now() - at);
      waiting.delete(name);
    }
  }, 2);
  const startedAt = performance.now();
  const grants = names.map(async (name, index) => {
    await sleep(Math.max(0, startedAt + (index * 1000) / GRANTS_PER_SECOND - performance.now()));
    const before = availableOf(name);
    const grant = { ...LOT, lotId: `more-${index}`, credits: 1n };
    await grantCredits(database, toAccountId(name), grant, Date.now());
    waiting.set(name, { before, at: performance.now() });
  });
  try {
    await Promise.all(grants);
    await eventually("every grant is known", () => waiting.size === 0, START_MS);
    return delays.sort((a, b) => a - b);
  } finally {
    clearInterval(look);
  }
}
