import { z } from "zod";
import { autoTopUpFields, toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { moneyArgument } from "../shell/arguments.ts";
import {
  noAccount,
  PartUnavailable,
  type Result,
  refused,
  shown,
  WrongUsage,
} from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import type { Asked, ByOption } from "../subscription/make-change.ts";
import { topUpSettingsText } from "./top-up-settings.ts";

/** As typed; what is left out stays as it is. */
export interface TopUpSetOptions extends ByOption {
  readonly auto?: string;
  readonly amount?: string;
  readonly limitPerDay?: string;
  readonly limitPerMonth?: string;
}

/** What sets an amount or a limit back. */
const DEFAULT = "default";

const settled = noun({ outcome: z.literal("set"), account_id: accountId, ...autoTopUpFields });

/** Changes what is set of an account's auto top-up. */
export async function setTopUp(
  settings: Settings,
  { accountId, by }: Asked,
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
    const { currency } = details;
    const at = { accountId, now: Date.now(), by };
    const outcome = await setAutoTopUp(database, at, toSettings(options, currency)).catch(
      (error: unknown) => {
        throw isDatabaseOutage(error) ? unknownOutcome() : error;
      },
    );
    if (outcome.kind !== "set") return refused(outcome);
    const read = { accountId, currency, auto: outcome.auto };
    return shown(
      settled,
      { outcome: outcome.kind, ...read, ...toAutoTopUp(read.auto, currency) },
      topUpSettingsText(read),
    );
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

/** It says how things shall be, so it may be asked for any number of times. */
function unknownOutcome(): PartUnavailable {
  return new PartUnavailable(
    "the connection to Postgres was lost and the settings may be changed or not; set them again, which changes nothing twice",
  );
}
