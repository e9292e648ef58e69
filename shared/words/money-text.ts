import { formatMoney } from "../core/text/money.ts";

/** Minor units as people read them: "USD 9.90". */
export function moneyText(amount: bigint, currency: string): string {
  return `${currency} ${formatMoney(amount, currency)}`;
}
