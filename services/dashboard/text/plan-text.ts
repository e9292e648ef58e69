import type { ScheduleData } from "../../../shared/contract/subscription.ts";
import { countText, exactCredits, moneyText } from "./credit-text.ts";

type FirstMonth = Pick<NonNullable<ScheduleData["subscription"]>, "period" | "first_part">;
type OpenFee = Pick<ScheduleData["open_fees"][number], "amount" | "currency" | "credits">;

/** What the first month costs and brings; null: it is a whole one, or over. */
export function firstMonthText({ period, first_part: part }: FirstMonth): string | null {
  if (period > 0 || part === null || part.days === part.of) return null;
  const [days, of] = [part.days, part.of].map((count) => countText(BigInt(count)));
  return `the first month costs and brings ${days} of its ${of} days`;
}

/** The credits that a payment brings: "3,100 credits come once USD 49.50 is paid"; null: none waits. */
export function waitingText(fees: readonly OpenFee[]): string | null {
  const fee = fees.find(({ credits }) => credits !== null);
  if (fee === undefined || fee.credits === null) return null;
  const price = moneyText(BigInt(fee.amount), fee.currency);
  return `${exactCredits(BigInt(fee.credits))} credits come once ${price} is paid`;
}
