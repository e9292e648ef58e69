import type { Decline } from "../../shared/core/payments/decline.ts";

/** What a charge can do; the id of a card is `card_` and one of these names. */
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
  /** How the request is answered; a repeat of it is always answered correctly. */
  readonly answer: "immediately" | "slowly" | "never" | "broken off" | "500";
  readonly webhooks: "once" | "twice" | "late" | "none";
}

type Outcome =
  | { readonly kind: "succeeded" }
  | { readonly kind: "processing" }
  | { readonly kind: "declined"; readonly decline: Pick<Decline, "kind" | "code"> }
  /** The gateway fails before it stores or charges anything. */
  | { readonly kind: "nothing" };

const APPROVE: Behaviour = {
  outcome: { kind: "succeeded" },
  answer: "immediately",
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
 * The behaviour of a payment method's card; null if it is no card, which declines like `no_card`. A
 * suffix after `-` only distinguishes cards: `card_decline-acme` behaves like `card_decline`.
 */
export function behaviourOf(method: string): BehaviourName | null {
  const [card = ""] = method.split("-", 1);
  return BY_CARD.get(card) ?? null;
}

function declined(kind: Decline["kind"], code: string): Behaviour {
  return { ...APPROVE, outcome: { kind: "declined", decline: { kind, code } } };
}
