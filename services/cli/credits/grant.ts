import { type Command, Option } from "commander";
import { z } from "zod";
import { movedFields, toMoved } from "../../../shared/contract/account.ts";
import { grantedLotFields } from "../../../shared/contract/lot.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { Account, Instant, Lot } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import type { LotEnd } from "../../../shared/core/month/expiry.ts";
import { type Grant, LOT_SOURCES } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { type GrantOutcome, grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  creditsArgument,
  instantArgument,
  newIdArgument,
  referenceArgument,
  sourceArgument,
} from "../shell/arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { balanceText, stretchText } from "./lot-text.ts";

interface GrantOptions extends ByOption {
  readonly source: string;
  readonly lotId?: string;
  readonly reference: string;
  readonly expires?: string;
  /** False when `--no-expiry` is given. */
  readonly expiry: boolean;
}

export function addGrantCommand(program: Command): void {
  addChangeCommand(program, "grant <account> <credits>", {
    does: "add credits to an account as one lot",
    examples: [
      "grant acme 100 --source top_up --reference 'invoice 17' --lot-id invoice-17",
      "grant acme 0.5 --expires 2027-01-01T00:00:00Z",
    ],
  })
    .option("--source <source>", `where they come from: ${LOT_SOURCES.join(", ")}`, "promotion")
    .option(
      "--lot-id <id>",
      "the lot's id; granting the same lot again adds nothing (default: a new id)",
    )
    .option("--reference <text>", "why; the customer sees it", "")
    .addOption(
      new Option("--expires <instant>", "when the lot ends (default: in two months)").conflicts(
        "expiry",
      ),
    )
    .addOption(new Option("--no-expiry", "the lot never ends"))
    .action((id: string, credits: string, options: GrantOptions) =>
      run(options, (settings) =>
        grant(settings, toRequest(id, options), toGrant(credits, options)),
      ),
    );
}

function toGrant(credits: string, options: GrantOptions): Grant {
  return {
    lotId: newIdArgument("--lot-id", options.lotId),
    credits: creditsArgument(credits),
    source: sourceArgument(options.source),
    reference: referenceArgument(options.reference),
    end: toEnd(options),
  };
}

function toEnd({ expires, expiry }: GrantOptions): LotEnd {
  if (!expiry) return { kind: "never" };
  if (expires === undefined) return { kind: "usual" };
  return { kind: "at", at: instantArgument("--expires", expires) };
}

const granting = noun({
  outcome: z.enum(["granted", "already_exists"]),
  ...grantedLotFields,
  ...movedFields,
});

async function grant(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  requested: Grant,
): Promise<Result> {
  const { lotId } = requested;
  const now = Date.now();
  return withDatabase(settings, async (database) => {
    const outcome = await orUnknown(
      grantCredits(database, accountId, requested, now, by),
      `the credits may or may not have been granted; run it again with --lot-id ${lotId}, which cannot grant them twice`,
    );
    switch (outcome.kind) {
      case "granted":
        return shown(granting, toShown(outcome, outcome, now), grantedText(outcome, now));
      case "already_exists": {
        const details = await readAccountDetails(database, accountId);
        if (details === null) return noAccount(accountId);
        const { account } = details;
        const lots = await readLotsIfDue(database, account, now);
        return shown(
          granting,
          toShown({ account, lots }, { ...outcome, lowBalance: null }, now),
          `Lot ${printable(lotId)} already exists with the same terms; nothing was granted.`,
        );
      }
      default:
        return refused(outcome);
    }
  });
}

type Shown = Pick<Granted, "lot" | "lowBalance"> & {
  readonly kind: "granted" | "already_exists";
};

function toShown(
  of: { readonly account: Account; readonly lots: readonly Lot[] },
  { kind, lot, lowBalance }: Shown,
  now: Instant,
) {
  return { outcome: kind, ...lot, ...toMoved(of, lowBalance, now) };
}

type Granted = Extract<GrantOutcome, { kind: "granted" }>;

function grantedText({ account, lots, lot, lowBalance }: Granted, now: Instant): string {
  const balance = availableAt(account, lots, now);
  const lines = [
    `Granted ${formatCredits(lot.credits)} credits to ${printable(account.accountId)}: lot ${printable(lot.lotId)}, ` +
      `${stretchText(lot)}, ends ${formatInstant(lot.expiresAt)}.`,
    balance < 0n
      ? `The balance is still below zero: a debt of ${formatCredits(-balance)} credits.`
      : `The balance is now ${balanceText(account, lots, now)}.`,
  ];
  if (lowBalance !== null) {
    lines.push("The account is still at or below its threshold: low balance published again.");
  }
  return lines.join("\n");
}
