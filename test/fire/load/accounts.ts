/** An account of the fire, and what is asked for it before the load begins. */
export interface FireAccount {
  readonly id: string;
  readonly kind: "hot" | "steady" | "low" | "planned" | "debtor" | "canary";
  /** Credits granted in this order, each a lot of its own. */
  readonly grants: readonly number[];
  /** Null: it has no payment method. */
  readonly card: string | null;
  /** It is on the plan `starter`, with so many units of the add-on; null: on none. */
  readonly addOns: number | null;
}

/** Each low account's card misbehaves in its own way; those behind `card_decline` get no credits. */
const CARDS = [
  "card_approve",
  "card_slow",
  "card_timeout_after_charge",
  "card_break_after_charge",
  "card_500_after_charge",
  "card_processing",
  "card_webhook_twice",
  "card_webhook_late",
  "card_no_webhook",
  "card_decline",
] as const;

const CANARIES = 4;

/** The accounts of every run; `canaries` groups of four are probed after a fault each. */
export function fireAccounts(canaries: number): FireAccount[] {
  const many = (kind: FireAccount["kind"], count: number, rest: (at: number) => Rest) =>
    Array.from({ length: count }, (_, at) => ({ id: `${kind}-${at}`, kind, ...rest(at) }));
  return [
    ...many("hot", 2, () => ({ grants: [5_000, 500_000], card: null, addOns: null })),
    ...many("steady", 12, () => ({ grants: [100, 200, 50_000], card: null, addOns: null })),
    ...many("low", 10, (at) => ({
      grants: [20],
      card: `${CARDS[at] ?? CARDS[0]}-low-${at}`,
      addOns: null,
    })),
    ...many("planned", 4, (at) => ({
      grants: [10],
      card: `card_approve-planned-${at}`,
      addOns: at,
    })),
    ...many("debtor", 2, () => ({ grants: [1], card: null, addOns: null })),
    ...many("canary", CANARIES * canaries, (at) => ({
      grants: [1],
      card: `card_approve-canary-${at}`,
      addOns: null,
    })),
  ];
}

type Rest = Pick<FireAccount, "grants" | "card" | "addOns">;

/** The canaries of one probe, counted from 0. */
export function canariesOf(accounts: readonly FireAccount[], probe: number): FireAccount[] {
  const all = accounts.filter(({ kind }) => kind === "canary");
  return all.slice(probe * CANARIES, (probe + 1) * CANARIES);
}
