import type { AutoTopUpSettingsDecision } from "../core/payments/auto-top-up.ts";
import type { ManualTopUpDecision } from "../core/payments/decide-top-up.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { moneyText } from "./money-text.ts";

/** Whose top-up it is, and in what it pays. */
interface Payer {
  readonly accountId: string;
  readonly currency: string;
}

/** Why a top-up by hand is not made. */
export function manualTopUpRefusal(
  { accountId, currency }: Payer,
  refused: Exclude<ManualTopUpDecision, { readonly kind: "pending" }>,
): string {
  const money = (minor: bigint) => moneyText(minor, currency);
  switch (refused.kind) {
    case "below_minimum":
      return `a top-up takes at least ${money(refused.least)}`;
    case "above_maximum":
      return `a top-up takes at most ${money(refused.most)}`;
    case "above_limit":
      return `the limits of account ${accountId} leave ${money(refused.left)} for top-ups now; raise them with top-up set`;
    case "no_method":
      return `account ${accountId} has nothing to pay with; set it with payment-method set`;
    case "in_flight":
      return `a top-up of account ${accountId} is pending already, as top-up list shows; ask again once it is settled`;
    case "no_price":
      return `credits have no price in ${currency}, which account ${accountId} pays in; catalogue apply sets one`;
    case "overflow":
      return `account ${accountId} cannot hold that many: at most ${formatCredits(refused.most)} credits still fit`;
  }
}

/** Why settings of auto top-up are not changed. */
export function topUpSettingsRefusal(
  { currency }: Payer,
  refused: Exclude<AutoTopUpSettingsDecision, { readonly kind: "set" }>,
): string {
  const money = (minor: bigint) => moneyText(minor, currency);
  switch (refused.kind) {
    case "below_minimum":
      return `a top-up takes at least ${money(refused.least)}`;
    case "above_maximum":
      return `a top-up takes at most ${money(refused.most)}`;
    case "above_limit": {
      const { amount, limit, per } = refused;
      return `the amount of ${money(amount)} is more than the limit of ${money(limit)} a ${per}; change one of them, or both at once`;
    }
  }
}
