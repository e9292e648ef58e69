import { setTimeout as sleep } from "node:timers/promises";
import { toAccountId } from "../../shared/core/text/text.ts";
import {
  changeHolds,
  type HoldAsked,
  type HoldOutcome,
} from "../../shared/ledger/holds/change-holds.ts";
import { type ChangeHold, gatherRequests } from "../../shared/ledger/holds/gather-requests.ts";
import { type Database, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { inDatabase } from "./books.ts";
import { cpuFigure, type Figure, figureBeside, rateFigure } from "./figure.ts";
import { accountName, seededRandom } from "./load.ts";
import { quantile } from "./statistics.ts";
import { type Bench, backlog, inTurn, metering, onBooks } from "./throughput.ts";

const ACCOUNTS = 10_000;
const CALLERS = 64;
const PER_SECOND = 1_000;
/** Of bare updates, and of a transaction a request: as many as the API has for all but holds and heavy reads. */
const CONNECTIONS = 14;
/** As the API has for holds. */
const HOLD_CONNECTIONS = 2;
const REQUEST = "00".repeat(32);

/** Holds beside bare one-row updates of as many transactions, of many accounts and of one; and their latency. */
export async function holds(bench: Bench, seconds: number): Promise<Figure[]> {
  const rounds: Measured[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`holds: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await measure(bench, seconds));
  }
  const pairs = (subject: keyof Measured, floor: keyof Measured) =>
    rounds.map((round) => ({ subject: round[subject], floor: round[floor] }));
  const perSecond = (name: string) => ({ name, unit: "requests/s" });
  return [
    figureBeside(
      perSecond(`holds made and released, ${CALLERS} callers, 10,000 accounts`),
      pairs("many", "bare"),
      "bare UPDATE",
      { atLeast: 0.5 },
    ),
    figureBeside(
      perSecond(`holds of one hot account, ${CALLERS} callers`),
      pairs("hot", "many"),
      "10,000 accounts",
      { atLeast: 0.5 },
    ),
    figureBeside(
      perSecond("the same, beside a transaction a request"),
      pairs("hot", "oneByOne"),
      "one by one",
      { atLeast: 5 },
    ),
    figureBeside(
      { name: `hold, ${PER_SECOND.toLocaleString("en")} requests/s, p99`, unit: "ms" },
      pairs("p99", "bareP99"),
      "bare UPDATE",
      { atMost: 2 },
    ),
    ...(await usageOfHolds(bench)),
  ];
}

type Measured = Readonly<Record<"bare" | "many" | "hot" | "oneByOne" | "bareP99" | "p99", number>>;

async function measure(bench: Bench, seconds: number): Promise<Measured> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const settings = readSettings({ ...bench.servers.env, DATABASE_URL: url });
  const open = (connections: number, plans: "of_one_account" | "of_batches") =>
    openDatabase(settings.database, { name: "bench", connections, plans });
  const database = open(CONNECTIONS, "of_one_account");
  const holdDatabase = open(HOLD_CONNECTIONS, "of_one_account");
  const gathered = gatherRequests(holdDatabase, Date.now);
  const random = seededRandom(seconds);
  const anyAccount = () => accountName(random(ACCOUNTS));
  const hotAccount = () => accountName(1);
  const bare = bareUpdate(database, anyAccount);
  try {
    await perSecondOf(bare, 1);
    return {
      bare: await perSecondOf(bare, seconds),
      many: await perSecondOf(holdAndRelease(gathered, anyAccount), seconds),
      hot: await perSecondOf(holdAndRelease(gathered, hotAccount), seconds),
      oneByOne: await perSecondOf(holdAndRelease(singly(database), hotAccount), seconds),
      bareP99: await pacedP99(bare, seconds),
      p99: await pacedP99(holdAndRelease(gathered, anyAccount), seconds),
    };
  } finally {
    await holdDatabase.end();
    await database.end();
    await bench.books.drop(url);
  }
}

/** A bare transaction of one row, twice. */
function bareUpdate(database: Database, account: () => string): Work {
  const text = "UPDATE account SET held = held WHERE account_id = $1";
  const one = async () => {
    await database.query({ name: "bare-update", text, values: [account()] });
  };
  return { first: one, second: one };
}

/** Two requests, the second one after the first. */
interface Work {
  first(at: number): Promise<void>;
  second(at: number): Promise<void>;
}

let made = 0;

function holdAndRelease(change: ChangeHold, account: () => string): Work {
  const named = new Map<number, Pick<HoldAsked, "accountId" | "holdId">>();
  return {
    async first(at) {
      made += 1;
      const of = { accountId: toAccountId(account()), holdId: `run-${made}` };
      named.set(at, of);
      const terms = { credits: 1n, partial: false, ttlMs: 600_000, dimensions: null };
      expectHeld(await change({ kind: "hold", ...of, ...terms, request: REQUEST, by: "bench" }));
    },
    async second(at) {
      const of = named.get(at);
      if (of === undefined) throw new Error("a release before its hold");
      expectHeld(await change({ kind: "release", ...of }));
    },
  };
}

function singly(database: Database): ChangeHold {
  return async (asked) => {
    const [outcome] = await changeHolds(database, [asked], Date.now());
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  };
}

function expectHeld(outcome: HoldOutcome): void {
  if (outcome.kind !== "held") throw new Error(`a hold: ${outcome.kind}`);
}

/** Requests a second of callers that ask one after the other. */
async function perSecondOf({ first, second }: Work, seconds: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let requests = 0;
  const caller = async (at: number) => {
    while (performance.now() < until) {
      await first(at);
      await second(at);
      requests += 2;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, at) => caller(at)));
  return (requests * 1_000) / (performance.now() - startedAt);
}

/** The p99 of requests that come evenly, whether or not the ones before are answered; in milliseconds. */
async function pacedP99({ first, second }: Work, seconds: number): Promise<number> {
  const took: number[] = [];
  const startedAt = performance.now();
  const timed = async (request: Promise<void>) => {
    const from = performance.now();
    await request;
    took.push(performance.now() - from);
  };
  const pair = async (at: number) => {
    const due = startedAt + (at * 2_000) / PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    await timed(first(at));
    await sleep(Math.max(0, due + 500 - performance.now()));
    await timed(second(at));
  };
  const pairs = (seconds * PER_SECOND) / 2;
  await Promise.all(Array.from({ length: pairs }, (_, at) => pair(at)));
  return quantile(
    took.sort((a, b) => a - b),
    0.99,
  );
}

// Each account has one, which the usage never fills.
const HOLDS = `
  WITH held AS (
    INSERT INTO hold (account_id, hold_id, request, asked, credits, status, requested_by, created_at, expires_at)
    SELECT account_id, 'run-of-' || account_id, decode(repeat('00', 32), 'hex'), 1000000000000, 1000000000000,
           'open', 'bench', date_trunc('milliseconds', now()), date_trunc('milliseconds', now()) + interval '1 day'
    FROM account
    RETURNING account_id, credits
  )
  UPDATE account SET held = held.credits, hold_changes = 1 FROM held WHERE account.account_id = held.account_id`;

/** Metering with a hold on every event, one of its account, beside as many events without. */
async function usageOfHolds(bench: Bench): Promise<Figure[]> {
  const run = (ofHolds: boolean) => async () => {
    const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0, ofHolds };
    const total = await backlog(bench, load);
    return onBooks(bench, ACCOUNTS, 1, async (url) => {
      await inDatabase(url, async (pool) => {
        await pool.query(HOLDS);
        await pool.query("VACUUM ANALYZE account, hold");
        await pool.query("CHECKPOINT");
      });
      return metering(bench, url, total);
    });
  };
  const pairs = await inTurn(bench, "usage of holds", { floor: run(false), subject: run(true) });
  return [
    rateFigure("metering, a hold on every event", pairs, "without", { atLeast: 0.8 }),
    cpuFigure("CPU, a hold on every event", pairs, "without"),
  ];
}
