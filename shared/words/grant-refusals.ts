import type { GrantDecision, GrantedLot } from "../core/month/grant-credits.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { formatInstant } from "./plain-words.ts";

/** Why credits are not granted. */
export function grantRefusal(
  { accountId, lotId }: { readonly accountId: string; readonly lotId: string },
  refused: Exclude<GrantDecision, { readonly kind: "granted" | "stands_already" }>,
): string {
  switch (refused.kind) {
    case "conflict":
      return `lot ${lotId} stands already as another grant: ${inWords(refused.lot)}`;
    case "reserved_lot_id":
      return `lot ids that begin with plan: or top-up: are those of subscriptions and top-ups, not ${lotId}; choose another`;
    case "no_credits":
      return "a grant needs more than 0 credits";
    case "overflow":
      return `account ${accountId} cannot hold that many: at most ${formatCredits(refused.most)} credits still fit`;
    case "ended_already":
      return `the lot would have ended already, at ${formatInstant(refused.at)}; name an instant to come`;
  }
}

function inWords(lot: GrantedLot): string {
  const reference = lot.reference === "" ? "no reference" : `reference ${lot.reference}`;
  return `${formatCredits(lot.credits)} credits, ${lot.source}, ${reference}, ends ${formatInstant(lot.expiresAt)}`;
}
