import type { AddOnUse, DueCharge } from "../../../shared/core/month/subscription.ts";
import { addOnAt } from "../../../shared/core/offer/catalogue.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { table } from "../shell/print.ts";
import type { SubscriptionDetails } from "./read-subscription.ts";

/** Add-ons in use and the charges of a turn that wait, as tables; empty where there is neither. */
export function addOnsText(read: SubscriptionDetails): string {
  const { addOns, dueCharges } = read.schedule;
  const parts: string[] = [];
  if (addOns.length > 0) parts.push(usesTable(read));
  if (dueCharges.length > 0) {
    const why = "Charges that wait until the usage before them is complete:";
    parts.push(`${why}\n${chargesTable(dueCharges)}`);
  }
  return parts.join("\n\n");
}

function usesTable(read: SubscriptionDetails): string {
  return table(
    [
      { title: "ADD-ON" },
      { title: "UNITS", align: "right" },
      { title: "NEXT PERIOD", align: "right" },
      { title: "CREDITS EACH", align: "right" },
    ],
    read.schedule.addOns.map((use) => {
      const price = priceOf(read, use);
      const each = price === null ? "" : formatCredits(price);
      return [use.addOnId, use.quantity, use.nextQuantity, each];
    }),
  );
}

function chargesTable(charges: readonly DueCharge[]): string {
  return table(
    [
      { title: "ADD-ON" },
      { title: "PERIOD", align: "right" },
      { title: "UNITS", align: "right" },
      { title: "CREDITS", align: "right" },
      { title: "DUE" },
    ],
    charges.map(({ addOnId, period, units, credits, dueAt }) => [
      addOnId,
      period,
      units,
      formatCredits(credits),
      formatInstant(dueAt),
    ]),
  );
}

/** A month's credits for a unit, as the catalogue says now. */
function priceOf({ catalogue, now }: SubscriptionDetails, { addOnId }: AddOnUse) {
  return addOnAt(catalogue, addOnId, now)?.credits ?? null;
}
