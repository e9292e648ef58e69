import { withScheduler } from "../model/month-histories.ts";
import type { MonthHistory } from "../model/month-history.ts";
import { historyOf, randomSeed, settledDaily, settledMonthly } from "../month/histories.ts";
import { commandFlags, from0, from1 } from "../support/command-flags.ts";
import { runVitest } from "../support/stack/run-vitest.ts";
import { shortestFailure, simulate } from "./simulate.ts";

const HELP = `npm run test:simulate -- [--seed S] [--months M] [--accounts N]

Plays random histories and compares them with the model, month by month.

  --books B       "core" alone, on books in memory (default), or "ledger", its operations on a real Postgres
  --seed S        draws the histories (default: drawn, and printed)
  --months M      of each account (default 24)
  --accounts N    a hundred at a time, each hundred with a seed of its own (default 1000)
  --events E      of an account in a month, on average (default 8)
  --changes C     of an account in a month, on average (default 0.5)
  --outages O     of metering (default 3)
  --scheduler W   when it runs: never, monthly, daily or always (default monthly; core only)
  --help          shows this help

Exit codes: 0 they agree; 1 they differ, with the shortest history that does; 2 wrong usage.`;
/** A group has a seed of its own, so that it can be played once more by itself. */
const MOST_OF_A_GROUP = 100;
const SCHEDULERS: ReadonlyMap<string, (history: MonthHistory) => MonthHistory> = new Map([
  ["never", (history) => history],
  ["monthly", settledMonthly],
  ["daily", settledDaily],
  ["always", (history) => withScheduler(history)],
]);

const flags = commandFlags(
  HELP,
  {
    books: { type: "string", default: "core" },
    seed: { type: "string", default: String(randomSeed()) },
    months: { type: "string", default: "24" },
    accounts: { type: "string", default: "1000" },
    events: { type: "string", default: "8" },
    changes: { type: "string", default: "0.5" },
    outages: { type: "string", default: "3" },
    scheduler: { type: "string", default: "monthly" },
  },
  (values) => {
    const settled = SCHEDULERS.get(values.scheduler);
    if (settled === undefined) {
      throw new RangeError(`--scheduler must be one of ${[...SCHEDULERS.keys()].join(", ")}`);
    }
    if (values.books !== "core" && values.books !== "ledger") {
      throw new RangeError("--books must be core or ledger");
    }
    return {
      ...{ values, settled },
      seed: from0("--seed", values.seed),
      accounts: from1("--accounts", values.accounts),
      shape: {
        months: from1("--months", values.months),
        outages: from0("--outages", values.outages),
        eventsAMonth: from0("--events", values.events),
        changesAMonth: from0("--changes", values.changes),
      },
    };
  },
);
const { values, shape, settled } = flags;
process.exitCode =
  values.books === "ledger" ? playLedger() : await playCore(flags.accounts, settled);

async function playCore(
  accounts: number,
  schedule: (history: MonthHistory) => MonthHistory,
): Promise<0 | 1> {
  const startedAt = performance.now();
  const occurred = new Map<string, number>();
  for (let played = 0; played < accounts; played += MOST_OF_A_GROUP) {
    const ofGroup = Math.min(MOST_OF_A_GROUP, accounts - played);
    const seed = flags.seed + played / MOST_OF_A_GROUP;
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
  console.log(`${optionsOf(flags.seed, flags.accounts)}: the ledger, in one group`);
  return runVitest(["test/month/time-machine.test.ts", "--testTimeout=0"], {
    TIME_MACHINE_SEED: String(flags.seed),
    TIME_MACHINE_SHAPE: JSON.stringify({ ...shape, accounts: flags.accounts }),
  });
}

/** What plays a group once more. */
function optionsOf(seed: number, accounts: number): string {
  return Object.entries({ ...values, seed, accounts })
    .map(([name, value]) => `--${name} ${value}`)
    .join(" ");
}
