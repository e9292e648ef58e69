import { setTimeout as wait } from "node:timers/promises";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import type { AccountId } from "../../shared/core/line/account.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { type Database, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { awaitBooks } from "./await-books.ts";
import { checkBooks } from "./check-books.ts";
import { followLowBalances, type LowBalanceFollower } from "./follow-low-balances.ts";
import { measureLatency } from "./measure-latency.ts";
import { meteringMembers, untilMetering } from "./metering-process.ts";
import { openAccounts } from "./open-accounts.ts";
import { type DemoPlan, planDemo } from "./plan-demo.ts";
import { play } from "./play.ts";
import { openProgress, type ProgressView } from "./progress.ts";
import { setDemoRates } from "./rates.ts";
import { readBooks } from "./read-books.ts";
import { type DemoReport, reportOn } from "./report.ts";
import { readTrace } from "./trace.ts";

interface DemoOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: number;
  /** The trace is played this many times as fast as it was recorded. */
  readonly speedUp: number;
  /** The prefix of the names of accounts, events and the consumer group. */
  readonly prefix: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Called when the accounts are open, with the one that uses most. */
  onAccounts(busiest: AccountId): Promise<void>;
  startMetering(): void;
  /** Kills metering without warning and returns its process id; null: it is not killed. */
  readonly killMetering: (() => number) | null;
}

interface Connections {
  readonly database: Database;
  readonly lowBalances: LowBalanceFollower;
  readonly client: ReturnType<typeof openUsageClient>;
}

const SHOW_EVERY_MS = 500;

/**
 * Plays the trace through metering on servers that are set up, and compares the books with the trace.
 * The accounts stay in the books.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { say, signal } = options;
  const plan = planDemo(await readTrace(), options);
  const accountIds = plan.accounts.map(({ accountId }) => accountId);
  const settings = readSettings(options.env);
  const logger = createLogger("demo", "error");
  const database = openDatabase(settings.database, { name: "drawdown-demo", connections: 8 });
  const kafka = openKafka(settings.kafka, "drawdown-demo", logger);
  const admin = kafka.admin();
  const client = openUsageClient({ ...settings, source: "npm run demo", logger });
  let lowBalances: LowBalanceFollower | undefined;
  try {
    await admin.connect();
    await setDemoRates(database);
    await openAccounts(database, plan.accounts);
    say(`${plan.accounts.length} accounts with ${countLots(plan)} lots are open`);
    await options.onAccounts(busiestOf(plan));
    lowBalances = await followLowBalances(kafka, openRegistry(settings.registry), {
      groupId: `${options.prefix}-low-balances`,
      accountIds: new Set(accountIds),
    });
    const before = await meteringMembers(admin);
    options.startMetering();
    await untilMetering(admin, before ?? 0, signal);
    say(`Metering is up. The trace plays ${options.speedUp} times as fast as it was recorded.`);

    const connections = { database, lowBalances, client };
    const played = await playWatched(plan, connections, options, () =>
      awaitBooks({ ...connections, admin }, accountIds, signal),
    );
    const found = await readBooks(database, accountIds);
    return reportOn(plan, found, {
      ...played,
      speedUp: options.speedUp,
      differences: checkBooks(plan.expected, found, lowBalances.received),
      lowBalances: lowBalances.received.length,
      lowBalanceRepeats: lowBalances.repeats(),
      latency: await measureLatency(database, accountIds),
    });
  } finally {
    await Promise.allSettled([client.close(), lowBalances?.stop(), admin.disconnect()]);
    await database.end();
  }
}

/** Plays the trace and waits for the books, with progress; kills metering half-way if requested. */
async function playWatched(
  plan: DemoPlan,
  connections: Connections,
  options: DemoOptions,
  untilMetered: () => Promise<void>,
): Promise<{ elapsedMs: number; killed: number | null }> {
  const view = openProgress(plan.events.length, options.say);
  const startedAt = performance.now();
  let published = 0;
  let killed: number | null = null;
  const onDelivered = () => {
    published += 1;
    if (options.killMetering === null || killed !== null) return;
    if (published * 2 < plan.events.length) return;
    killed = options.killMetering();
    view.say(
      `  kill -9 for metering (process ${killed}) after ${published} events; Kafka notices within ten seconds`,
    );
  };
  const done = new AbortController();
  const watching = watch(plan, connections, {
    ...{ view, published: () => published, until: done.signal },
  });
  const { client } = connections;
  const playing = play(client, plan.events, { ...options, onDelivered }).then(untilMetered);
  try {
    await Promise.race([playing, watching]);
    return { elapsedMs: performance.now() - startedAt, killed };
  } finally {
    done.abort();
    await watching.catch(() => undefined);
    view.stop();
  }
}

async function watch(
  plan: DemoPlan,
  { database, lowBalances }: Connections,
  given: { view: ProgressView; published: () => number; until: AbortSignal },
): Promise<void> {
  const accountIds = plan.accounts.map(({ accountId }) => accountId);
  for (let last = false; !last; ) {
    last = given.until.aborted;
    const { rows } = await database.query<{ metered: number }>(
      "SELECT coalesce(sum(events), 0)::integer AS metered FROM spend WHERE account_id = ANY($1)",
      [accountIds],
    );
    const metered = rows[0]?.metered ?? 0;
    given.view.show({
      ...{ published: given.published(), metered },
      lowBalances: lowBalances.received.length,
    });
    await wait(SHOW_EVERY_MS, undefined, { signal: given.until }).catch(() => undefined);
  }
}

/** The account with most events. */
function busiestOf({ events }: DemoPlan): AccountId {
  const byAccount = [...Map.groupBy(events, ({ accountId }) => accountId)];
  const [busiest] = byAccount.toSorted(([, a], [, b]) => b.length - a.length);
  if (busiest === undefined) throw new Error("the demo has no events");
  return busiest[0];
}

function countLots({ accounts }: DemoPlan): number {
  return accounts.reduce((sum, { lots }) => sum + lots.length, 0);
}
