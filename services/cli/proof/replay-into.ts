import { z } from "zod";
import { migrate } from "../../../infra/postgres/migrate.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { count } from "../../../shared/contract/wire.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { isKafkaOutage, openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { RangeUnreadable } from "../../../shared/kafka/consume/read-ranges.ts";
import { type BooksReplayed, replayBooks } from "../../../shared/kafka/replay/replay-books.ts";
import { ReplayRefused } from "../../../shared/kafka/replay/replay-usage.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { BooksDifference } from "../../../shared/ledger/proof/compare-books.ts";
import { databaseUrlProblem } from "../../../shared/runtime/database-url.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { startWatchdog } from "../../../shared/runtime/watchdog.ts";
import { printable } from "../shell/print.ts";
import { addressesOf, requireKafka } from "../shell/probe-parts.ts";
import { openProgress, type Progress } from "../shell/progress.ts";
import { PartUnavailable, type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addressOf, reasonOf, withDatabase } from "../shell/with-database.ts";

/** Two concurrent transactions, and other queries beside them. */
const TARGET = { connections: 3, mayBeEmpty: true };
/** The most events in one transaction. */
const BATCH_EVENTS = 30_000;

class Interrupted extends Error {}

/** Replays the books into the database at a URL, and reports whether both are equal. */
export async function replayInto(settings: Settings, url: string): Promise<Result> {
  const target = targetOf(settings, url);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort(new Interrupted("interrupted"));
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, stop);
  const state: ReplayState = { hasBegun: false, progress: null };
  const watchdog = startWatchdog("cli", settings.eventLoopLimitMs, 2);
  try {
    const replayed = await withDatabase(settings, (from) =>
      withDatabase(
        target,
        async (into) => {
          await requireKafka(settings);
          return replayWith(settings, { from, into }, interrupt.signal, state);
        },
        TARGET,
      ),
    );
    return outcome(replayed, addressOf(target));
  } catch (error) {
    return failed(error, settings, state.hasBegun ? addressOf(target) : null);
  } finally {
    state.progress?.stop();
    for (const signal of signals) process.off(signal, stop);
    await watchdog.stop();
  }
}

interface ReplayState {
  hasBegun: boolean;
  progress: Progress | null;
}

function targetOf(settings: Settings, url: string): Settings {
  const target = { ...settings, database: { ...settings.database, url } };
  try {
    if (!/^postgres(ql)?:$/.test(new URL(url).protocol)) throw new TypeError("another protocol");
    addressOf(target);
  } catch {
    throw new WrongUsage("--into is not a URL like postgres://user:password@host:5432/name");
  }
  const { tls } = settings.database;
  const mode = tls === null ? "off" : tls.rejectUnauthorized ? "verify" : "require";
  const problem = databaseUrlProblem(url, mode);
  if (problem !== null) throw new WrongUsage(`--into ${problem}`);
  return target;
}

function replayWith(
  settings: Settings,
  { from, into }: { from: Database; into: Database },
  signal: AbortSignal,
  state: ReplayState,
): Promise<BooksReplayed> {
  return replayBooks({
    source: from,
    target: into,
    kafka: openKafka(settings.kafka, "drawdown-replay", createLogger("cli", "silent")),
    decoder: openUsageDecoder(openRegistry(settings.registry, 0)),
    batchEvents: BATCH_EVENTS,
    signal,
    migrate,
    onBegun(offsets) {
      state.hasBegun = true;
      state.progress = openProgress(offsets, countOf(offsets, "message"), "messages");
    },
    onReplayed: (offsets) => state.progress?.add(offsets),
    onPosted: () => state.progress?.stop(),
  });
}

const replay = noun({
  accounts: count,
  events: z.number().int(),
  equal: z.boolean(),
  events_per_second: z.number(),
  differing: z.number().int(),
  differences: z.array(
    noun({
      account_id: z.string(),
      table: z.string(),
      rows: z.array(noun({ source: z.unknown(), target: z.unknown() })),
    }),
  ),
});

function outcome(replayed: BooksReplayed, address: string): Result {
  const { accounts, events, postingMs, differing, differences } = replayed;
  const perSecond = Math.round(events / (postingMs / 1000));
  const what = `${countOf(accounts, "account")}, ${countOf(events, "event")}`;
  const isEqual = differing === 0;
  const speed = `${what}: ${isEqual ? "equal" : "not equal"} (${countOf(perSecond, "event")}/s).`;
  return shown(
    replay,
    {
      accounts,
      events,
      equal: isEqual,
      eventsPerSecond: perSecond,
      differing,
      differences: differences.map((difference) => ({
        ...difference,
        rows: difference.rows.map(({ source, target }) => ({
          source: parsed(source),
          target: parsed(target),
        })),
      })),
    },
    [speed, ...differences.flatMap(differenceText)].join("\n"),
    isEqual ? null : `${countOf(differing, "account")} in ${address} differ from the books`,
  );
}

function parsed(row: string | null) {
  return row === null ? null : JSON.parse(row);
}

function differenceText({ accountId, table, rows }: BooksDifference): string[] {
  return [
    `account ${printable(accountId)}, ${table}:`,
    ...rows.flatMap(({ source, target }) => [
      `  books   ${printable(source ?? "nothing")}`,
      `  replay  ${printable(target ?? "nothing")}`,
    ]),
  ];
}

/** `begun`: the database that a part of the books was replayed into. */
function failed(error: unknown, settings: Settings, begun: string | null): Result {
  const left =
    begun === null
      ? ""
      : `; ${begun} has only a part of the books: drop it, and replay into an empty database again`;
  const sentence = sentenceOf(error, settings);
  if (sentence !== null) return refused(`${sentence}${left}`);
  if (begun === null) throw error;
  throw new PartUnavailable(`the replay failed: ${reasonOf(error)}${left}`, { cause: error });
}

function sentenceOf(error: unknown, settings: Settings): string | null {
  if (error instanceof Interrupted) return "interrupted";
  if (error instanceof ReplayRefused || error instanceof RangeUnreadable) return error.message;
  const { kafka, registry } = addressesOf(settings);
  if (error instanceof RegistryUnavailable) {
    return `the schema registry at ${registry} cannot be used: ${reasonOf(error)}`;
  }
  if (isKafkaOutage(error)) return `Kafka at ${kafka} cannot be reached: ${reasonOf(error)}`;
  return null;
}
