import type { Command } from "commander";
import { z } from "zod";
import { movedFields, toMoved } from "../../../shared/contract/account.ts";
import { newEntry, toEntry } from "../../../shared/contract/entry.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { credits } from "../../../shared/contract/wire.ts";
import type { Withdrawal, Withdrawn } from "../../../shared/core/changes/withdraw-lot.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import { remainingOf } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { withdrawLot } from "../../../shared/ledger/credits/withdraw-lot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { creditsArgument, idArgument, referenceArgument } from "../shell/arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { printable } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { balanceText, LOW_BALANCE } from "./lot-text.ts";

interface WithdrawOptions extends ByOption {
  readonly credits?: string;
  readonly reference: string;
}

export function addLotCommands(program: Command): void {
  const lot = program.command("lot").description("withdraw credits from lots");
  addChangeCommand(lot, "withdraw <account> <lot>", {
    does: "withdraw what remains of a lot, or a part of it; used credits stay used",
    examples: [
      "lot withdraw acme invoice-17 --reference 'refund 4'",
      "lot withdraw acme invoice-17 --credits 20",
    ],
  })
    .option("--credits <credits>", "how many (default: all that remain)")
    .option("--reference <text>", "why; the customer sees it", "")
    .action((account: string, lotId: string, options: WithdrawOptions) =>
      run(options, (settings) =>
        withdraw(settings, toRequest(account, options), toWithdrawal(lotId, options)),
      ),
    );
}

function toWithdrawal(lotId: string, { credits, reference }: WithdrawOptions): Withdrawal {
  return {
    lotId: idArgument("lot", lotId),
    credits: credits === undefined ? null : creditsArgument(credits),
    reference: referenceArgument(reference),
  };
}

async function withdraw(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  requested: Withdrawal,
): Promise<Result> {
  const { lotId, credits } = requested;
  // All that remains can be withdrawn again; a part would be withdrawn twice.
  const next =
    credits === null
      ? "run it again, which cannot withdraw more than remains"
      : `before running it again, look for an adjustment of lot ${lotId} in drawdown entries ${accountId}`;
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    orUnknown(
      withdrawLot(database, { accountId, now, by }, requested),
      `the credits may or may not have been withdrawn; ${next}`,
    ),
  );
  if (outcome.kind !== "withdrawn") return refused(outcome);
  return shown(withdrawal, toShown(lotId, outcome, now), withdrawnText(lotId, outcome, now));
}

const withdrawal = noun({
  outcome: z.literal("withdrawn"),
  lot_id: z.string(),
  credits,
  remaining: credits,
  entries: z.array(newEntry),
  ...movedFields,
});

function toShown(lotId: string, withdrawn: Withdrawn, now: Instant) {
  return {
    ...toMoved(withdrawn, withdrawn.lowBalance, now),
    ...{ outcome: withdrawn.kind, lotId, credits: withdrawn.credits },
    remaining: remainderOf(lotId, withdrawn),
    entries: withdrawn.entries.map(toEntry),
  };
}

function withdrawnText(lotId: string, withdrawn: Withdrawn, now: Instant): string {
  const { account, lots, credits, lowBalance } = withdrawn;
  const remaining = formatCredits(remainderOf(lotId, withdrawn));
  const lines = [
    `Withdrew ${formatCredits(credits)} credits from lot ${printable(lotId)} of ${printable(account.accountId)}; ${remaining} remain in it.`,
    `The balance is now ${balanceText(account, lots, now)}.`,
  ];
  if (lowBalance !== null) lines.push(LOW_BALANCE);
  return lines.join("\n");
}

function remainderOf(lotId: string, { account, lots }: Withdrawn) {
  const lot = lots.find((candidate) => candidate.lotId === lotId);
  return lot === undefined ? 0n : remainingOf(lot, account.position);
}
