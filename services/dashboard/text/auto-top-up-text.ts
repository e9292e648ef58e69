import type { AutoTopUpData } from "../../../shared/contract/auto-top-up.ts";
import { NO_PAYMENT_METHOD } from "../../../shared/core/payments/decline.ts";
import { toSentence } from "../../../shared/core/text/text.ts";
import { moneyText } from "./credit-text.ts";
import { dateText } from "./time-text.ts";

type Amounts = Pick<AutoTopUpData, "currency" | "ceilings" | "charged" | "limit_per_month">;

/** What can be charged in a month, and what was charged in this one. */
export function monthText({ currency, charged, limit_per_month }: Amounts): string {
  const [most, sum] = [limit_per_month, charged.this_month].map((money) =>
    moneyText(BigInt(money), currency),
  );
  return `At most ${most} a month; ${sum} charged this month.`;
}

/** The most that the seller lets a customer set. */
export function ceilingsText({ currency, ceilings }: Amounts): string {
  const { amount, limit_per_day, limit_per_month } = ceilings;
  const [each, day, month] = [amount, limit_per_day, limit_per_month].map((money) =>
    moneyText(BigInt(money), currency),
  );
  return `No more than ${each} at once, ${day} a day and ${month} a month can be set.`;
}

/** Who agreed to it, and when; null: it is off. */
export function consentText(
  consent: AutoTopUpData["consent"],
  zone: string,
  now: number,
): string | null {
  if (consent === null) return null;
  const on = dateText(zone, Date.parse(consent.at), now);
  if (consent.by_default) return `On since the account was created, ${on}.`;
  // A customer reads the kind of who it was, and a seller the name.
  if (consent.by === "seller") return `Set for you by the seller, ${on}.`;
  return consent.by === "customer" || consent.by.startsWith("token:")
    ? `Set on this page, ${on}.`
    : `Set for you by ${consent.by}, ${on}.`;
}

/** That there is no payment method; null: there is one, or it is said already as why auto top-up has stopped. */
export function noMethodText(hasMethod: boolean, stopped: string | null): string | null {
  const sentence = toSentence(NO_PAYMENT_METHOD);
  return hasMethod || stopped === sentence ? null : sentence;
}
