import { z } from "zod";
import { autoTopUpFields, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { moneyArgument } from "../shell/arguments.ts";
import { noAccount, type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import type { ByOption, ChangeRequest } from "../subscription/make-change.ts";
import { topUpSettingsText } from "./top-up-settings.ts";

/** Settings that are left out stay as they are. */
export interface TopUpSetOptions extends ByOption {
  readonly auto?: string;
  readonly amount?: string;
  readonly limitPerDay?: string;
  readonly limitPerMonth?: string;
}

/** Resets an amount or a limit. */
const DEFAULT = "default";

const changed = noun({ outcome: z.literal("set"), account_id: accountId, ...autoTopUpFields });

export async function setTopUp(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  options: TopUpSetOptions,
): Promise<Result> {
  const { auto, amount, limitPerDay, limitPerMonth } = options;
  if ([auto, amount, limitPerDay, limitPerMonth].every((option) => option === undefined)) {
    throw new WrongUsage(
      "name what to set: --auto, --amount, --limit-per-day, --limit-per-month or several of them",
    );
  }
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const at = { accountId, now: Date.now(), by };
    const outcome = await orUnknown(
      setAutoTopUp(database, at, toSettings(options, details.currency)),
      "the settings may or may not have been changed; run it again",
    );
    if (outcome.kind !== "set") return refused(outcome);
    const { kind, auto } = outcome;
    const value = { outcome: kind, accountId, ...toAutoTopUp(auto, details) };
    return shown(changed, value, topUpSettingsText({ ...details, accountId, auto }));
  });
}

function toSettings(options: TopUpSetOptions, currency: string): Partial<TopUpSettings> {
  const { auto, amount, limitPerDay, limitPerMonth } = options;
  return {
    ...(auto === undefined ? {} : { enabled: onOrOff(auto) }),
    ...(amount === undefined ? {} : { amount: toAmount(amount, currency) }),
    ...(limitPerDay === undefined ? {} : { limitPerDay: toAmount(limitPerDay, currency) }),
    ...(limitPerMonth === undefined ? {} : { limitPerMonth: toAmount(limitPerMonth, currency) }),
  };
}

function onOrOff(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new WrongUsage(`--auto must be on or off, not "${text}"`);
}

function toAmount(text: string, currency: string): bigint | null {
  return text === DEFAULT ? null : moneyArgument(text, currency);
}
