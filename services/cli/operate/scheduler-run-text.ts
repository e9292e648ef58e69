import type { Instant } from "../../../shared/core/line/account.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { DueAccounts } from "../../../shared/ledger/month/count-due.ts";
import type { Done, Sum } from "../../../shared/ledger/month/run-schedule.ts";
import { instantJson, table } from "../shell/print.ts";

/** A run of the scheduler as it was asked for, and what it did or would do. */
export interface Ran {
  readonly clock: Instant;
  readonly dryRun: boolean;
  readonly done: Done;
  /** Up to here everybody's usage is complete; null: nowhere. */
  readonly completeUntil: Instant | null;
  /** Why usage does not count as complete at the clock asked for; null: it does, or the clock is now's. */
  readonly unread: string | null;
  /** What waits for usage to be complete; null in a dry run. */
  readonly waiting: DueAccounts | null;
  readonly ms: number;
}

export function ranJson({ clock, dryRun, done, completeUntil, unread, waiting, ms }: Ran) {
  return {
    outcome: dryRun ? "would_run" : "ran",
    at: instantJson(clock),
    accounts: done.accounts,
    grants: sumJson(done.grants),
    expiries: sumJson(done.expiries),
    add_on_charges: sumJson(done.charges),
    fees: done.fees,
    ended: done.ended,
    low_balances: done.lowBalances,
    notices: sumJson(done.notices),
    usage_complete_until: instantJson(completeUntil),
    usage_unread: unread,
    waiting: waiting && { accounts: waiting.count, since: instantJson(waiting.since) },
    seconds: Math.round(ms) / 1000,
  };
}

function sumJson({ count, credits }: Sum) {
  return { count, credits };
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
    ["notices of expiry", done.notices.count, formatCredits(done.notices.credits)],
  ];
  const accounts = countOf(done.accounts, "account");
  const seconds = (ms / 1000).toFixed(1);
  return [
    table(
      [
        { title: dryRun ? "WOULD POST" : "POSTED" },
        { title: "COUNT", align: "right" },
        { title: "CREDITS", align: "right" },
      ],
      rows,
    ),
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
  const readAt = completeUntil === null ? null : completeUntil + GRACE_MS;
  const until = `Usage counts as complete ${readAt === null ? "at no instant yet" : `as of ${formatInstant(readAt)}`}${why}: expiries and add-on charges later than a grace before that wait`;
  if (waiting === null || waiting.since === null) return [`${until}.`];
  const accounts = countOf(waiting.count, "account");
  return [`${until}, on ${accounts} now, the first since ${formatInstant(waiting.since)}.`];
}
