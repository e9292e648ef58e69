import { addOnAt } from "../../../shared/core/offer/catalogue.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { table } from "../shell/print.ts";
import type { SubscriptionDetails } from "./read-subscription.ts";

/** Tables of the add-ons in use, and of charges that are due and not posted yet; empty without either. */
export function addOnsText({ schedule, catalogue, now }: SubscriptionDetails): string {
  const { addOns, dueCharges } = schedule;
  const parts: string[] = [];
  if (addOns.length > 0) {
    const uses = addOns.map((use) => ({ ...use, price: addOnAt(catalogue, use.addOnId, now) }));
    parts.push(
      table(uses, [
        ["ADD-ON", ({ addOnId }) => addOnId],
        ["UNITS", ({ quantity }) => quantity, "right"],
        ["NEXT PERIOD", ({ nextQuantity }) => nextQuantity, "right"],
        [
          "CREDITS EACH",
          ({ price }) => (price === null ? "" : formatCredits(price.credits)),
          "right",
        ],
      ]),
    );
  }
  if (dueCharges.length > 0) {
    const charges = table(dueCharges, [
      ["ADD-ON", ({ addOnId }) => addOnId],
      ["PERIOD", ({ period }) => period, "right"],
      ["UNITS", ({ units }) => units, "right"],
      ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
      ["DUE", ({ dueAt }) => formatInstant(dueAt)],
    ]);
    parts.push(`Charges that wait until the usage before them is complete:\n${charges}`);
  }
  return parts.join("\n\n");
}
