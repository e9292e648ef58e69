import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { openKafka } from "../../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { RangeUnreadable } from "../../../shared/kafka/consume/read-ranges.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { SchemaLost } from "../../../shared/reconcile/compare-usage.ts";
import { type Bound, CutRefused, type Scope } from "../../../shared/reconcile/cut.ts";
import type { Found } from "../../../shared/reconcile/difference.ts";
import { readMissed } from "../../../shared/reconcile/keep-message.ts";
import { type Reconciliation, reconcile } from "../../../shared/reconcile/reconcile.ts";
import { planRepair, type RepairPlan, repair } from "../../../shared/reconcile/repair.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { startWatchdog } from "../../../shared/runtime/watchdog.ts";
import { accountIdArgument, byArgument, wholeArgument } from "../shell/arguments.ts";
import { interruptible, isConfirmed } from "../shell/confirm.ts";
import { addressesOf, requireKafka } from "../shell/probe-parts.ts";
import { openProgress, type Progress } from "../shell/progress.ts";
import { PartUnavailable, type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { reasonOf, withDatabase } from "../shell/with-database.ts";
import { reconciliation, reconciliationFields, toReconciliation } from "./reconcile-shape.ts";
import { differencesText, reconciliationText } from "./reconcile-text.ts";

interface Options extends JsonOption {
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
  readonly partition?: string;
  readonly repair?: true;
  readonly yes?: true;
  readonly by?: string;
}

export function addReconcileCommand(program: Command): void {
  addCommand(program, "reconcile", {
    does: "compare the books with the topics: every event, entry and lot; metering may go on",
    examples: [
      "reconcile",
      "reconcile --account acme --json",
      "reconcile --from 2026-11-01T00:00:00Z --partition 2",
      "reconcile --repair",
    ],
  })
    .option("--account <id>", "only this account")
    .option(
      "--from <offset|instant>",
      "only usage from this offset, or published from this instant on",
    )
    .option(
      "--to <offset|instant>",
      "only usage below this offset, or published before this instant",
    )
    .option("--partition <number>", "only this partition of the usage topic")
    .option("--repair", "show the repairs of the differences, ask, and post them")
    .option("--yes", "with --repair: do not ask")
    .option("--by <who>", "with --repair: who repairs, for the books (default: the system's user)")
    .action((options: Options) => run(options, (settings) => runReconcile(settings, options)));
}

async function runReconcile(settings: Settings, options: Options): Promise<Result> {
  const scope = scopeOf(options);
  if (options.repair !== true && options.yes === true) {
    throw new WrongUsage("--yes goes with --repair");
  }
  if (options.repair === true && options.yes !== true && !process.stdin.isTTY) {
    throw new WrongUsage("--repair asks before it posts; without a terminal, add --yes");
  }
  const watchdog = startWatchdog("cli", settings.eventLoopLimitMs, 2);
  try {
    return await interruptible((signal) =>
      withDatabase(settings, async (database) => {
        await requireKafka(settings);
        return proveAndRepair(settings, { database, scope, options, signal }).catch(
          (error: unknown) => {
            throw explained(error, settings);
          },
        );
      }),
    );
  } finally {
    await watchdog.stop();
  }
}

interface Run {
  readonly database: Database;
  readonly scope: Scope;
  readonly options: Options;
  readonly signal: AbortSignal;
}

const repairs = noun({
  repaired: z.number().int(),
  left: z.number().int(),
  ...reconciliationFields,
});

async function proveAndRepair(settings: Settings, run: Run): Promise<Result> {
  const found = await prove(settings, run);
  const failure = failureOf(found);
  if (run.options.repair !== true || found.differences.length === 0) {
    return shown(reconciliation, toReconciliation(found), reconciliationText(found), failure);
  }
  const planned = found.differences.flatMap((difference) => {
    const plan = planRepair(difference);
    return plan === null ? [] : [{ found: difference, plan }];
  });
  process.stderr.write(`${differencesText(found.differences)}\n`);
  if (planned.length === 0)
    return refused("none of these differences can be repaired automatically");
  if (
    run.options.yes !== true &&
    !(await isConfirmed(`Post ${countOf(planned.length, "repair")}?`, run.signal))
  ) {
    return refused("nothing was repaired");
  }
  const repaired = await postAll(settings, run, planned);
  const left = found.differences.length + found.more - repaired;
  return shown(
    repairs,
    { repaired, left, ...toReconciliation(found) },
    `${countOf(repaired, "difference")} repaired; run reconcile again to see what is left.`,
    left === 0 ? null : `${countOf(left, "difference")} left: run reconcile again`,
  );
}

async function prove(
  settings: Settings,
  { database, scope, signal }: Run,
): Promise<Reconciliation> {
  let progress: Progress | null = null;
  try {
    return await reconcile({
      ...clients(settings),
      ...{ database, scope, signal },
      onCut(offsets) {
        progress = openProgress(Number(offsets), countOf(offsets, "message"), "messages");
      },
      onRead: (offsets) => progress?.add(offsets),
    });
  } finally {
    (progress as Progress | null)?.stop();
  }
}

function clients(settings: Settings) {
  return {
    kafka: openKafka(settings.kafka, "drawdown-cli", createLogger("cli", "silent")),
    registry: openRegistry(settings.registry, 0),
  };
}

async function postAll(
  settings: Settings,
  { database, options, signal }: Run,
  planned: readonly { readonly found: Found; readonly plan: RepairPlan }[],
): Promise<number> {
  const { kafka, registry } = clients(settings);
  const places = planned.flatMap(({ found }) => {
    if (found.kind === "not_kept") return [found.place];
    return found.kind === "missing_record" && found.onLine === null ? [found.event] : [];
  });
  const decoder = openUsageDecoder(registry);
  const messages = await readMissed({ kafka, decoder, signal }, places);
  const repairing = { database, messages, by: byArgument(options.by), now: Date.now() };
  using progress = openProgress(planned.length, countOf(planned.length, "repair"));
  let repaired = 0;
  for (const { found, plan } of planned) {
    if (signal.aborted) break;
    if (await repair(repairing, found, plan)) repaired += 1;
    progress.add(1);
  }
  return repaired;
}

function failureOf({ differences, more }: Reconciliation): string | null {
  const count = differences.length + more;
  return count === 0 ? null : `topics and books differ: ${countOf(count, "difference")}`;
}

function scopeOf({ account, partition, from, to }: Options): Scope {
  const bounds = {
    from: from === undefined ? null : boundArgument("--from", from),
    to: to === undefined ? null : boundArgument("--to", to),
  };
  if (isReversed(bounds.from, bounds.to)) {
    throw new WrongUsage(`--from ${from} is not before --to ${to}`);
  }
  return {
    ...bounds,
    accountId: account === undefined ? null : accountIdArgument(account),
    partition: partition === undefined ? null : Number(wholeArgument("--partition", partition, 0n)),
  };
}

function boundArgument(name: string, text: string): Bound {
  if (/^\d{1,19}$/.test(text)) return { kind: "offset", offset: wholeArgument(name, text, 0n) };
  const at = parseInstant(text);
  if (at !== null) return { kind: "instant", at };
  throw new WrongUsage(
    `${name} must be an offset like 1041 or an instant like 2026-11-01T00:00:00Z, not "${text}"`,
  );
}

function isReversed(from: Bound | null, to: Bound | null): boolean {
  if (from?.kind === "offset" && to?.kind === "offset") return from.offset >= to.offset;
  return from?.kind === "instant" && to?.kind === "instant" && from.at >= to.at;
}

/** Outages and refusals as one sentence; other errors are bugs and stay as they are. */
function explained(error: unknown, settings: Settings): unknown {
  const isRefusal = [CutRefused, SchemaLost, RangeUnreadable].some((kind) => error instanceof kind);
  if (isRefusal) return new PartUnavailable(reasonOf(error));
  const { kafka, registry } = addressesOf(settings);
  if (error instanceof RegistryUnavailable) {
    return new PartUnavailable(
      `the schema registry at ${registry} cannot be used: ${reasonOf(error)}`,
    );
  }
  if (error instanceof Error && error.name.startsWith("KafkaJS")) {
    return new PartUnavailable(`Kafka at ${kafka}: ${reasonOf(error)}`);
  }
  return error;
}
