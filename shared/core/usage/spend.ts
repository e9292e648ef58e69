import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { hourOf } from "../offer/months.ts";
import type { UsageEvent } from "./usage-event.ts";

/** An account's usage of a meter in one local hour. */
export interface Spend {
  readonly accountId: AccountId;
  /** The first instant of the hour. */
  readonly hour: Instant;
  readonly meter: string;
  events: number;
  quantity: bigint;
  credits: MicroCredits;
}

/** Adds an event to its account's spend. A batch has few hours and meters of an account, so a scan is fast. */
export function addToSpend(
  spends: Spend[],
  event: UsageEvent,
  credits: MicroCredits,
  account: { readonly accountId: AccountId; readonly timeZone: string },
): void {
  const hour = hourOf(event.occurredAt, account.timeZone);
  for (const spend of spends) {
    if (spend.hour === hour && spend.meter === event.meter) {
      spend.events += 1;
      spend.quantity += event.quantity;
      spend.credits += credits;
      return;
    }
  }
  const { meter, quantity } = event;
  spends.push({ accountId: account.accountId, hour, meter, events: 1, quantity, credits });
}
