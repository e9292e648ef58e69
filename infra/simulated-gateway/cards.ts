import type { Decline } from "../../shared/core/payments/decline.ts";

/** What can become of one charge; a card's name is `card_` and one of these. */
export const BEHAVIOUR_NAMES = [
  "approve",
  "decline",
  "decline_hard",
  "expired",
  "authenticate",
  "slow",
  "timeout_after_charge",
  "break_after_charge",
  "500_after_charge",
  "500_before_charge",
  "processing",
  "webhook_twice",
  "webhook_late",
  "no_webhook",
  "no_card",
] as const;

export type BehaviourName = (typeof BEHAVIOUR_NAMES)[number];

export interface Behaviour {
  readonly outcome: Outcome;
  /** What the request that made the charge is answered; a repeat of it always hears the truth. */
  readonly answer: "at once" | "slowly" | "never" | "broken off" | "500";
  readonly webhooks: "once" | "twice" | "late" | "none";
}

type Outcome =
  | { readonly kind: "succeeded" }
  | { readonly kind: "processing" }
  | { readonly kind: "declined"; readonly decline: Pick<Decline, "kind" | "code"> }
  /** The gateway fails first: nothing is stored, nothing taken. */
  | { readonly kind: "nothing" };

const APPROVE: Behaviour = {
  outcome: { kind: "succeeded" },
  answer: "at once",
  webhooks: "once",
};

export const BEHAVIOURS: Readonly<Record<BehaviourName, Behaviour>> = {
  approve: APPROVE,
  decline: declined("soft", "insufficient_funds"),
  decline_hard: declined("hard", "stolen_card"),
  expired: declined("hard", "expired_card"),
  authenticate: declined("needs_customer", "authentication_required"),
  slow: { ...APPROVE, answer: "slowly" },
  timeout_after_charge: { ...APPROVE, answer: "never" },
  break_after_charge: { ...APPROVE, answer: "broken off" },
  "500_after_charge": { ...APPROVE, answer: "500" },
  "500_before_charge": { outcome: { kind: "nothing" }, answer: "500", webhooks: "none" },
  processing: { ...APPROVE, outcome: { kind: "processing" } },
  webhook_twice: { ...APPROVE, webhooks: "twice" },
  webhook_late: { ...APPROVE, webhooks: "late" },
  no_webhook: { ...APPROVE, webhooks: "none" },
  no_card: declined("hard", "resource_missing"),
};

const BY_CARD: ReadonlyMap<string, BehaviourName> = new Map(
  BEHAVIOUR_NAMES.map((name) => [`card_${name}`, name]),
);

/**
 * What the card of a payment method's id does, or null where it is no
 * card, which declines as `no_card` does. What follows a `-` only
 * tells cards apart: `card_decline-acme` declines as `card_decline` does.
 */
export function behaviourOf(method: string): BehaviourName | null {
  const [card = ""] = method.split("-", 1);
  return BY_CARD.get(card) ?? null;
}

function declined(kind: Decline["kind"], code: string): Behaviour {
  return { ...APPROVE, outcome: { kind: "declined", decline: { kind, code } } };
}
