import { z } from "zod";
import { autoTopUpFields, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import { readAutoTopUpState } from "../../../shared/ledger/payments/auto-top-up-state.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { moneyArgument } from "../shell/arguments.ts";
import type { ByOption, ChangeRequest } from "../shell/change-command.ts";
import { noAccount, type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { topUpSettingsText } from "./top-up-settings.ts";

/** Settings that are left out stay as they are. */
export interface TopUpSetOptions extends ByOption {
  readonly auto?: string;
  readonly amount?: string;
  readonly limitPerDay?: string;
  readonly limitPerMonth?: string;
  readonly keepAfterSubscription?: string;
}

/** Resets an amount or a limit. */
const DEFAULT = "default";

const changed = noun({ outcome: z.literal("set"), account_id: accountId, ...autoTopUpFields });

export async function setTopUp(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  options: TopUpSetOptions,
): Promise<Result> {
  const { auto, amount, limitPerDay, limitPerMonth, keepAfterSubscription: keep } = options;
  if ([auto, amount, limitPerDay, limitPerMonth, keep].every((option) => option === undefined)) {
    throw new WrongUsage(
      "name what to set: --auto, --amount, --limit-per-day, --limit-per-month, --keep-after-subscription or several of them",
    );
  }
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const at = { accountId, now: Date.now(), by };
    const outcome = await orUnknown(
      setAutoTopUp(
        database,
        at,
        toSettings(options, details.currency),
        settings.paymentAttemptsPerHour,
      ),
      "the settings may or may not have been changed; run it again",
    );
    if (outcome.kind !== "set") return refused(outcome);
    return changedTopUp(database, details);
  });
}

/** The auto top-up of an account after a change. */
export async function changedTopUp(database: Database, details: AccountDetails): Promise<Result> {
  const { account } = details;
  const state = await readAutoTopUpState(database, account, Date.now());
  const shownTopUp = toAutoTopUp(state, details);
  const value = { outcome: "set" as const, accountId: account.accountId, ...shownTopUp };
  return shown(changed, value, topUpSettingsText(state, details));
}

function toSettings(options: TopUpSetOptions, currency: string): Partial<TopUpSettings> {
  const { auto, amount, limitPerDay, limitPerMonth, keepAfterSubscription: keep } = options;
  return {
    ...(auto === undefined ? {} : { enabled: onOrOff("--auto", auto) }),
    ...(keep === undefined
      ? {}
      : { keepAfterSubscription: onOrOff("--keep-after-subscription", keep) }),
    ...(amount === undefined ? {} : { amount: toAmount(amount, currency) }),
    ...(limitPerDay === undefined ? {} : { limitPerDay: toAmount(limitPerDay, currency) }),
    ...(limitPerMonth === undefined ? {} : { limitPerMonth: toAmount(limitPerMonth, currency) }),
  };
}

function onOrOff(option: string, text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new WrongUsage(`${option} must be on or off, not "${text}"`);
}

/** An amount in minor units; null: the default. */
export function toAmount(text: string, currency: string): bigint | null {
  return text === DEFAULT ? null : moneyArgument(text, currency);
}
