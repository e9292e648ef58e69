import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { instant, totalCredits } from "../../../shared/contract/wire.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { DueAccounts } from "../../../shared/ledger/month/count-due.ts";
import type { RunTotals } from "../../../shared/ledger/month/run-schedule.ts";
import { table } from "../shell/print.ts";

/** A run of the scheduler, and what it did or would do. */
export interface Ran {
  readonly clock: Instant;
  readonly dryRun: boolean;
  readonly done: RunTotals;
  /** All usage before this instant is metered; null: not known of any instant. */
  readonly completeUntil: Instant | null;
  /** Why usage is not complete at a clock that is ahead; null: it is, or the clock is not ahead. */
  readonly unread: string | null;
  /** Accounts that wait for usage to be complete; null in a dry run. */
  readonly waiting: DueAccounts | null;
  readonly ms: number;
}

const counted = z.number().int();
const sum = noun({ count: counted, credits: totalCredits });

export const schedulerRun = noun({
  outcome: z.enum(["ran", "would_run"]),
  at: instant,
  accounts: counted,
  grants: sum,
  expiries: sum,
  add_on_charges: sum,
  fees: counted,
  ended: counted,
  low_balances: counted,
  notices: sum,
  usage_complete_until: instant.nullable(),
  usage_unread: z.string().nullable(),
  waiting: noun({ due: counted, oldest_due_at: instant.nullable() }).nullable(),
  seconds: z.number(),
});

export function toSchedulerRun({ clock, dryRun, done, completeUntil, unread, waiting, ms }: Ran) {
  return {
    ...done,
    outcome: dryRun ? ("would_run" as const) : ("ran" as const),
    at: clock,
    addOnCharges: done.charges,
    usageCompleteUntil: completeUntil,
    usageUnread: unread,
    waiting: waiting && { due: waiting.count, oldestDueAt: waiting.since },
    seconds: Math.round(ms) / 1000,
  };
}

export function ranText(ran: Ran): string {
  const { clock, dryRun, done, ms } = ran;
  const rows: (readonly [string, number, string])[] = [
    ["grants", done.grants.count, formatCredits(done.grants.credits)],
    ["expiries", done.expiries.count, formatCredits(done.expiries.credits)],
    ["add-on charges", done.charges.count, formatCredits(done.charges.credits)],
    ["fees due", done.fees, ""],
    ["subscriptions ended", done.ended, ""],
    ["low balances", done.lowBalances, ""],
    ["expiry notices", done.notices.count, formatCredits(done.notices.credits)],
  ];
  const accounts = countOf(done.accounts, "account");
  const seconds = (ms / 1000).toFixed(1);
  return [
    table(rows, [
      [dryRun ? "WOULD POST" : "POSTED", ([what]) => what],
      ["COUNT", ([, count]) => count, "right"],
      ["CREDITS", ([, , credits]) => credits, "right"],
    ]),
    "",
    dryRun
      ? `At ${formatInstant(clock)}, ${accounts} would move (${seconds} s). Nothing was changed.`
      : `At ${formatInstant(clock)}, ${accounts} moved in ${seconds} s.`,
    ...waitingLines(ran),
  ].join("\n");
}

function waitingLines({ completeUntil, unread, waiting }: Ran): string[] {
  if (unread === null && (waiting === null || waiting.since === null)) return [];
  const why = unread === null ? "" : ` (${unread})`;
  const usage =
    completeUntil === null
      ? `Usage is not known to be complete${why}: expiries and add-on charges wait`
      : `Usage is complete up to ${formatInstant(completeUntil)}${why}: later expiries and add-on charges wait`;
  if (waiting === null || waiting.since === null) return [`${usage}.`];
  const accounts = countOf(waiting.count, "account");
  return [`${usage}, on ${accounts} now, the first since ${formatInstant(waiting.since)}.`];
}
