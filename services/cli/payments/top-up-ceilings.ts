import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { setCeilings } from "../../../shared/ledger/payments/set-ceilings.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import type { ByOption, ChangeRequest } from "../shell/change-command.ts";
import { noAccount, type Result, refused, WrongUsage } from "../shell/result.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { changedTopUp, toAmount } from "./top-up-set.ts";

/** Ceilings that are left out stay as they are. */
export interface CeilingsOptions extends ByOption {
  readonly amount?: string;
  readonly limitPerDay?: string;
  readonly limitPerMonth?: string;
}

/** Sets the most that an account may be charged for top-ups. */
export async function setTopUpCeilings(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  { amount, limitPerDay, limitPerMonth }: CeilingsOptions,
): Promise<Result> {
  if ([amount, limitPerDay, limitPerMonth].every((option) => option === undefined)) {
    throw new WrongUsage(
      "name what to set: --amount, --limit-per-day, --limit-per-month or several of them",
    );
  }
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const { currency } = details;
    const ceilings = {
      ...(amount === undefined ? {} : { amount: toAmount(amount, currency) }),
      ...(limitPerDay === undefined ? {} : { perDay: toAmount(limitPerDay, currency) }),
      ...(limitPerMonth === undefined ? {} : { perMonth: toAmount(limitPerMonth, currency) }),
    };
    const outcome = await orUnknown(
      setCeilings(database, { accountId, now: Date.now(), by }, ceilings),
      "the ceilings may or may not have been changed; run it again",
    );
    return outcome.kind === "set" ? changedTopUp(database, details) : refused(outcome);
  });
}
