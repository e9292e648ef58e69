import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId, instant } from "../../../shared/contract/wire.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { eraseAccount } from "../../../shared/ledger/privacy/erase-account.ts";
import type { Erasure } from "../../../shared/ledger/privacy/erasures.ts";
import type { Waits } from "../../../shared/ledger/privacy/waits.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import type { ChangeRequest } from "../shell/change-command.ts";
import { interruptible, isConfirmed } from "../shell/confirm.ts";
import { printable } from "../shell/print.ts";
import { openProgress } from "../shell/progress.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

const erasureShape = noun({
  outcome: z.enum(["erased", "already_erased"]),
  account_id: accountId,
  asked_by: z.string(),
  begun_at: instant,
  finished_at: instant.nullable(),
  erased: z.record(z.string(), z.number()),
  kept_dimensions: z.array(z.string()),
});

/** Erases what is personal of an account, once the person at the terminal has agreed or with `yes`. */
export async function erase(
  settings: Settings,
  request: ChangeRequest,
  yes: boolean,
): Promise<Result> {
  const name = printable(request.accountId);
  if (!yes && !process.stdin.isTTY) {
    throw new WrongUsage(
      "it asks before it erases, which cannot be undone; without a terminal, add --yes",
    );
  }
  const question = `Erase what is personal of ${name}? It cannot be undone.`;
  if (!yes && !(await interruptible((signal) => isConfirmed(question, signal)))) {
    return refused("nothing was erased");
  }
  using progress = openProgress(null, "");
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    orUnknown(
      eraseAccount(database, { ...request, now, onRows: reporter(progress.log) }),
      "some of it may be erased; run it again, and it goes on",
    ),
  );
  if (outcome.kind === "unknown_account") return refused(outcome);
  if (outcome.kind === "in_use") {
    return refused(`${name} cannot be erased yet: ${waitsText(outcome.waits)}`);
  }
  const { kind, erasure } = outcome;
  return shown(erasureShape, { outcome: kind, ...erasure }, erasureText(name, kind, erasure));
}

/** On a terminal, says how many pages of usage are looked at; the rest takes a moment. */
function reporter(log: (line: string) => void): (table: string, rows: number) => void {
  let pages = 0;
  return (table, rows) => {
    if (!process.stderr.isTTY || table !== "usage_page" || rows === 0) return;
    pages += rows;
    log(`${countOf(pages, "page")} of usage rewritten`);
  };
}

function waitsText(waits: Waits): string {
  const { plan } = waits;
  const reasons = [
    ...(plan === null
      ? []
      : [
          `its subscription to ${printable(plan)} runs (drawdown subscription cancel, and its end)`,
        ]),
    ...counted(waits.holds, "open hold", "capture or release"),
    ...counted(waits.payments, "open payment", "wait for the outcome"),
    ...counted(waits.refunds, "pending refund", "wait for the outcome"),
    ...counted(waits.charges, "unmatched charge", "drawdown reconcile names it"),
    ...counted(waits.deadLetters, "dead letter", "retry or dismiss"),
    ...counted(waits.records, "unpublished record", "wait, or see drawdown status"),
    ...counted(waits.deliveries, "webhook queue", "wait, or delete the endpoint"),
  ];
  return reasons.join("; ");
}

function counted(count: number, what: string, todo: string): string[] {
  return count === 0 ? [] : [`${countOf(count, what)} (${todo})`];
}

function erasureText(name: string, kind: "erased" | "already_erased", erasure: Erasure): string {
  const { erased, keptDimensions, askedBy, finishedAt } = erasure;
  const rows = Object.entries(erased).map(([table, count]) => `${table} ${count}`);
  const kept =
    keptDimensions.length === 0
      ? ""
      : `\nValues of these dimensions stay, since prices depend on them: ${printable(keptDimensions.join(", "))}.`;
  const again =
    kind === "erased"
      ? `What is personal of ${name} is erased.`
      : `${name} was erased by ${printable(askedBy)} at ${formatInstant(finishedAt)}; nothing has come since.`;
  return `${again}\nRows: ${rows.length === 0 ? "none had anything" : rows.join(", ")}.${kept}`;
}
