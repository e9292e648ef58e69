/**
 * `npm run test:simulate -- --seed S --months M --accounts N`: random histories against the model. The core
 * alone, on books in memory, or with `--books ledger` the operations of the ledger on a real Postgres. Ends
 * with 1 and the shortest history that differs.
 */
import { parseArgs } from "node:util";
import { withScheduler } from "../model/month-histories.ts";
import type { MonthHistory } from "../model/month-history.ts";
import { historyOf, randomSeed, settledDaily, settledMonthly } from "../month/histories.ts";
import { runVitest } from "../support/stack/run-vitest.ts";
import { shortestFailure, simulate } from "./simulate.ts";

/** A group has a seed of its own, so that it can be played once more by itself. */
const MOST_OF_A_GROUP = 100;
const SCHEDULERS: ReadonlyMap<string, (history: MonthHistory) => MonthHistory> = new Map([
  ["never", (history) => history],
  ["monthly", settledMonthly],
  ["daily", settledDaily],
  ["always", (history) => withScheduler(history)],
]);

const { values } = parseArgs({
  options: {
    books: { type: "string", default: "core" },
    seed: { type: "string", default: String(randomSeed()) },
    months: { type: "string", default: "24" },
    accounts: { type: "string", default: "1000" },
    /** Of an account in a month, on average. */
    events: { type: "string", default: "8" },
    changes: { type: "string", default: "0.5" },
    /** Of metering. */
    outages: { type: "string", default: "3" },
    scheduler: { type: "string", default: "monthly" },
  },
});
const shape = {
  months: numberOf("months"),
  outages: numberOf("outages"),
  eventsAMonth: numberOf("events"),
  changesAMonth: numberOf("changes"),
};
const settled = SCHEDULERS.get(values.scheduler);
if (settled === undefined || !["core", "ledger"].includes(values.books)) {
  throw new Error(`--scheduler is ${[...SCHEDULERS.keys()].join(", ")}; --books is core or ledger`);
}
process.exitCode =
  values.books === "ledger" ? playLedger() : await playCore(numberOf("accounts"), settled);

async function playCore(
  accounts: number,
  schedule: (history: MonthHistory) => MonthHistory,
): Promise<0 | 1> {
  const startedAt = performance.now();
  const occurred = new Map<string, number>();
  for (let played = 0; played < accounts; played += MOST_OF_A_GROUP) {
    const ofGroup = Math.min(MOST_OF_A_GROUP, accounts - played);
    const seed = numberOf("seed") + played / MOST_OF_A_GROUP;
    const history = schedule(historyOf(seed, { ...shape, accounts: ofGroup }));
    const found = simulate(history);
    if (found.difference !== null) {
      const { account, at, what } = found.difference;
      console.log(`${optionsOf(seed, ofGroup)}: differs`);
      console.log(`${new Date(at).toISOString()}, account ${account}: ${what}\n`);
      console.log(`Shortened: ${await shortestFailure(history)}`);
      return 1;
    }
    for (const [what, often] of found.occurred) {
      occurred.set(what, (occurred.get(what) ?? 0) + often);
    }
    const months = (played + ofGroup) * shape.months;
    const rate = Math.round((months * 1_000) / (performance.now() - startedAt));
    console.log(`${optionsOf(seed, ofGroup)}: agrees (${months} account months, ${rate} a second)`);
  }
  for (const [what, often] of [...occurred].sort()) {
    console.log(`${String(often).padStart(9)} ${what}`);
  }
  return 0;
}

function playLedger(): number {
  console.log(`${optionsOf(numberOf("seed"), numberOf("accounts"))}: the ledger, in one group`);
  return runVitest(["test/month/time-machine.test.ts", "--testTimeout=0"], {
    TIME_MACHINE_SEED: values.seed,
    TIME_MACHINE_SHAPE: JSON.stringify({ ...shape, accounts: numberOf("accounts") }),
  });
}

/** What plays a group once more. */
function optionsOf(seed: number, accounts: number): string {
  return Object.entries({ ...values, seed, accounts })
    .map(([name, value]) => `--${name} ${value}`)
    .join(" ");
}

function numberOf(name: "seed" | "months" | "accounts" | "events" | "changes" | "outages"): number {
  const number = Number(values[name]);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Error(`--${name} ${values[name]} is no number from 0 on`);
}
