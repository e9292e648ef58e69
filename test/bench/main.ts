import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { startStack } from "../../infra/local/stack.ts";
import { setUp } from "../../infra/set-up.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { balanceReads } from "./balance-reads.ts";
import { openBookMaker } from "./books.ts";
import { budgetsCounted } from "./budgets.ts";
import { type Figure, figureTable, isReached } from "./figure.ts";
import { readFlags } from "./flags.ts";
import { grownBooks, randomIds } from "./grown-books.ts";
import { messagesWithHeaders } from "./headers.ts";
import { holds } from "./holds.ts";
import { ingest } from "./ingest.ts";
import { pacedLatency } from "./latency.ts";
import { eventsOfSeveralMeters } from "./lines.ts";
import { localAllowance } from "./local-allowance.ts";
import { ratesByModel } from "./models.ts";
import { meteringAtTurn, monthTurn } from "./month.ts";
import { reconciles } from "./reconcile.ts";
import { replays } from "./replay.ts";
import { soak } from "./soak.ts";
import { streamDelay } from "./stream-delay.ts";
import { streamMemory } from "./stream-memory.ts";
import { type Bench, hotAccount, manyAccounts, randomAccounts, repeats } from "./throughput.ts";
import { topUpMemory, topUpRate } from "./top-up.ts";
import { topUpLatency } from "./top-up-latency.ts";
import { webhookLatency } from "./webhook.ts";

const HELP = `Measures Drawdown on real Kafka and Postgres on this machine, each figure beside its floor in the same run.

  npm run bench                        all of it, a million events each (about 20 minutes)
  npm run bench -- --quick             fewer events and rounds (about 5 minutes)
  npm run bench -- --only latency      one of: random, hot, repeats, models, budgets, lines, headers, many, latency,
                                         month, turn, topup, ingest, reconcile, replay, balance,
                                         allowance, stream, grown, ids, holds, webhook, soak
  npm run bench -- --rounds 2          so many rounds of each, instead of five (three of --quick)
  npm run bench -- --grown 100         so many million events grown into the books, instead of ten (one
                                         of --quick)
  npm run bench -- --json              prints the figures as JSON too

Writes bench-results.json. Exits 0 whether or not targets are reached: it measures, it does not judge.`;

const read = readFlags(process.argv.slice(2));
if (read.kind === "help") {
  console.log(HELP);
  process.exit(0);
}
if (read.kind === "wrong") {
  console.error(`${read.message}\n\n${HELP}`);
  process.exit(2);
}
const options = read.flags;

const project = join(import.meta.dirname, "../..");
const say = (line: string) => console.error(line);
const stack = await startStack({
  dataDir: join(project, ".local/bench"),
  fresh: true,
  say,
  ports: { postgres: 27432, kafka: 27092, kafkaController: 27093, registry: 27081 },
});
process.once("SIGINT", () => void stack.stop().then(() => process.exit(130)));
try {
  // It creates databases and empties caches.
  const env = { ...process.env, ...stack.env, DATABASE_URL: stack.superuserUrl };
  await setUp(env, say);
  const settings = readSettings(env);
  const { postgres, kafka } = stack.parts;
  const bench: Bench = {
    servers: { env, postgresPid: postgres.pid ?? 0, kafkaPid: kafka.pid ?? 0 },
    kafka: openKafka(settings.kafka, "bench", createLogger("bench", "error")),
    registry: settings.registry,
    books: await openBookMaker(settings.database.url),
    events: options.quick ? 300_000 : 1_000_000,
    rounds: options.rounds,
    say,
  };
  const figures = await measure(bench);
  await bench.books.close();
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model ?? "unknown", cores: cpus().length, node: process.version };
  const reached = figures.map((figure) => ({ ...figure, reached: isReached(figure) }));
  const report = { at: new Date().toISOString(), machine, quick: options.quick, figures: reached };
  writeFileSync(join(project, "bench-results.json"), `${JSON.stringify(report, null, 2)}\n`);
  if (options.json) console.log(JSON.stringify(report));
  else console.log(figureTable(figures));
} finally {
  await stack.stop();
}
process.exit(0);

async function measure(bench: Bench): Promise<Figure[]> {
  const scenarios: Record<string, () => Promise<Figure[]>> = {
    random: () => randomAccounts(bench),
    hot: () => hotAccount(bench),
    repeats: () => repeats(bench),
    models: () => ratesByModel(bench),
    budgets: () => budgetsCounted(bench),
    lines: () => eventsOfSeveralMeters(bench),
    headers: () => messagesWithHeaders(bench),
    latency: () => pacedLatency(bench, options.quick ? 8 : 15),
    month: () => monthTurn(bench, options.quick ? 100_000 : 1_000_000),
    turn: () => meteringAtTurn(bench, options.quick ? 200_000 : 1_000_000),
    ingest: () => ingest(bench),
    reconcile: () => reconciles(bench),
    grown: () => grownBooks(bench, options.grownMillions * 1_000_000),
    ids: () => randomIds(bench, options.grownMillions * 1_000_000),
    replay: () => replays(bench),
    balance: () => balanceReads(bench, options.quick ? 8 : 15),
    allowance: () => localAllowance(bench, options.quick ? 5 : 15),
    stream: async () => [
      ...(await streamDelay(bench, options.quick ? 8 : 15)),
      ...(await streamMemory(bench)),
    ],
    topup: async () => [
      ...(await topUpLatency(bench, options.quick ? 10 : 20)),
      ...(await topUpRate(bench, options.quick ? 3_000 : 5_000)),
      ...(await topUpMemory(bench)),
    ],
    holds: () => holds(bench, options.quick ? 5 : 15),
    webhook: () => webhookLatency(bench, options.quick ? 8 : 15),
    soak: () => soak(bench, options.quick ? 4_000 : 20_000),
    many: async () => [
      ...(await manyAccounts(bench, 100_000, 0.5)),
      ...(await manyAccounts(bench, 1_000_000, 0.25)),
    ],
  };
  const figures: Figure[] = [];
  for (const [name, run] of Object.entries(scenarios)) {
    if (options.only !== null && options.only !== name) continue;
    figures.push(...(await run()));
  }
  return figures;
}
