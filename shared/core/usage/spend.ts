import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { EventLine } from "./event-lines.ts";

/** An account's usage of a meter in one local hour. */
export interface Spend {
  readonly accountId: AccountId;
  /** The first instant of the hour. */
  readonly hour: Instant;
  readonly meter: string;
  /** Those that have the meter. */
  events: number;
  quantity: bigint;
  credits: MicroCredits;
}

/** What a line of an event cost. */
interface SpentLine extends EventLine {
  readonly credits: MicroCredits;
}

/**
 * Adds a line of an event to its account's spend in an hour. A batch has few hours and meters of an account, so a
 * scan is fast.
 */
export function addToSpend(
  spends: Spend[],
  { meter, quantity, credits }: SpentLine,
  { accountId, hour }: Pick<Spend, "accountId" | "hour">,
): void {
  for (const spend of spends) {
    if (spend.hour === hour && spend.meter === meter) {
      spend.events += 1;
      spend.quantity += quantity;
      spend.credits += credits;
      return;
    }
  }
  spends.push({ accountId, hour, meter, events: 1, quantity, credits });
}
