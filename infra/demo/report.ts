import { REFERENCE } from "../../shared/core/line/reference.ts";
import { formatCredits } from "../../shared/core/text/credits-text.ts";
import { amountsAsText } from "../../shared/ledger/postgres/amounts-as-text.ts";
import type { Stack } from "../local/stack.ts";
import { totalsByMeter } from "./check-books.ts";
import type { Latency } from "./measure-latency.ts";
import type { DemoPlan } from "./plan-demo.ts";
import { INPUT_TOKENS, OUTPUT_TOKENS } from "./rates.ts";
import type { FoundBooks } from "./read-books.ts";

/** What a run measures. */
interface Measured {
  /** Low-balance records received from the topic, without repeats. */
  readonly lowBalances: number;
  readonly lowBalanceRepeats: number;
  readonly speedUp: number;
  /** From the first event to the last balance and low balance. */
  readonly elapsedMs: number;
  /** Null: not measured. */
  readonly latency: Latency | null;
  /** The id of the metering process that was killed; null: none was. */
  readonly killed: number | null;
  /** One line for each difference between the books and the file. */
  readonly differences: readonly string[];
}

/** The result of a run. Its figures about the books are read from the books. */
export interface DemoReport extends Measured {
  readonly requests: number;
  readonly events: number;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  /** Micro-credits. */
  readonly creditsDrawn: bigint;
  readonly accounts: number;
  readonly lots: number;
  readonly accountsInDebt: number;
  /** An account, and the event that brought it down to its threshold. */
  readonly example: { readonly accountId: string; readonly eventId: string };
  readonly eventsPerSecond: number;
}

const DIFFERENCES_SHOWN = 20;

export function reportOn(plan: DemoPlan, found: FoundBooks, measured: Measured): DemoReport {
  const accounts = [...found.accounts.values()];
  const totals = totalsByMeter(found.records);
  return {
    requests: plan.requests,
    events: found.records.length,
    inputTokens: totals.get(INPUT_TOKENS)?.quantity ?? 0n,
    outputTokens: totals.get(OUTPUT_TOKENS)?.quantity ?? 0n,
    creditsDrawn: accounts.reduce((sum, { position }) => sum + position, 0n),
    accounts: accounts.length,
    lots: accounts.reduce((sum, { lots }) => sum + lots.length, 0),
    accountsInDebt: accounts.filter(({ granted, position }) => position > granted).length,
    example: exampleOf(plan),
    eventsPerSecond: Math.round((found.records.length * 1000) / measured.elapsedMs),
    ...measured,
    elapsedMs: Math.round(measured.elapsedMs),
  };
}

function exampleOf({ expected }: DemoPlan): DemoReport["example"] {
  const records = [...expected.records.values()];
  const crossed = records.find(({ accountId, eventId }) => {
    return (
      expected.accounts.get(accountId)?.lowBalance?.cause ===
      REFERENCE.eventCause.write({ eventId })
    );
  });
  const { accountId = "", eventId = "" } = crossed ?? records[0] ?? {};
  return { accountId, eventId };
}

/** For programs: amounts are decimal strings, credits in micro-credits. */
export function reportAsJson(report: DemoReport): string {
  const booksEqualFile = report.differences.length === 0;
  return JSON.stringify({ booksEqualFile, ...report }, amountsAsText, 2);
}

/** For people: a table, then whether the books equal the file. */
export function reportAsText(report: DemoReport): string {
  const rows = rowsOf(report)
    .filter(([, value]) => value !== "")
    .map(([what, value]) => `  ${what.padEnd(22)} ${value}`);
  return ["", ...rows, "", ...verdictOf(report)].join("\n");
}

function rowsOf(report: DemoReport): [string, string][] {
  const { latency, killed } = report;
  return [
    ["events", `${grouped(report.events)} (${grouped(report.requests)} requests, two meters)`],
    ["input tokens", grouped(report.inputTokens)],
    ["output tokens", grouped(report.outputTokens)],
    ["credits drawn", formatCredits(report.creditsDrawn)],
    ["accounts", `${report.accounts} with ${grouped(report.lots)} lots`],
    ["in debt at the end", `${report.accountsInDebt} accounts`],
    ["low-balance events", `${report.lowBalances}${repeats(report.lowBalanceRepeats)}`],
    [
      "events/s",
      `${grouped(report.eventsPerSecond)} over ${seconds(report.elapsedMs)} (the trace at ${report.speedUp} times its pace)`,
    ],
    [
      "from event to balance",
      latency === null
        ? "not measured: this Postgres keeps no commit times (track_commit_timestamp is off)"
        : `p50 ${latency.p50Ms} ms, p99 ${latency.p99Ms} ms`,
    ],
    ["metering", killed === null ? "" : `process ${killed} killed with kill -9, restarted`],
  ];
}

function verdictOf({ differences, inputTokens, outputTokens }: DemoReport): string[] {
  if (differences.length === 0) {
    return [
      `The books equal the file, to the micro-credit: ${grouped(inputTokens)} input and ${grouped(outputTokens)} output tokens.`,
    ];
  }
  const shown = differences.slice(0, DIFFERENCES_SHOWN).map((difference) => `  ${difference}`);
  const more = differences.length - shown.length;
  return [
    `The books do not equal the file: ${grouped(differences.length)} differences.`,
    ...shown,
    ...(more > 0 ? [`  and ${grouped(more)} more`] : []),
  ];
}

/** Where the servers listen, and commands to look at the books while the demo stays up. */
export function howToLook(
  env: Stack["env"],
  { accountId, eventId }: DemoReport["example"],
): string {
  return [
    "",
    "Everything stays up until Ctrl-C. To look around, in another terminal:",
    "",
    ...Object.entries(env).map(([name, value]) => `  export ${name}='${value}'`),
    "  npm run drawdown -- status",
    `  npm run drawdown -- account show ${accountId}`,
    `  npm run drawdown -- lots ${accountId}`,
    `  npm run drawdown -- explain event ${eventId} --account ${accountId}`,
    "",
  ].join("\n");
}

function repeats(count: number): string {
  return count === 0 ? "" : ` (${count} repeats dropped)`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function grouped(count: bigint | number): string {
  return count.toLocaleString("en-US");
}
