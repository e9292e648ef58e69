/** An account of the fire, and what is asked for it before the load begins. */
export interface FireAccount {
  readonly id: string;
  readonly kind: "hot" | "steady" | "low" | "planned" | "debtor" | "canary";
  /** Credits granted in this order, each a lot of its own. */
  readonly grants: readonly number[];
  /** Null: it has no payment method. */
  readonly card: string | null;
  /** Its place on the plan `starter`; null: it is on none. */
  readonly plan: { readonly interval: "month" | "year"; readonly addOns: number } | null;
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
    ...many("hot", 2, () => ({ grants: [5_000, 500_000], card: null, plan: null })),
    ...many("steady", 12, () => ({ grants: [100, 200, 50_000], card: null, plan: null })),
    ...many("low", 10, (at) => ({
      grants: [20],
      card: `${CARDS[at] ?? CARDS[0]}-low-${at}`,
      plan: null,
    })),
    ...many("planned", 4, (at) => ({
      grants: [], // credits that never end would pay before those that do
      card: `card_approve-planned-${at}`,
      plan: { interval: at % 2 === 0 ? "month" : "year", addOns: at },
    })),
    ...many("debtor", 2, () => ({ grants: [1], card: null, plan: null })),
    ...many("canary", CANARIES * canaries, (at) => ({
      grants: [1],
      card: `card_approve-canary-${at}`,
      plan: null,
    })),
  ];
}

type Rest = Pick<FireAccount, "grants" | "card" | "plan">;

/** In percent, of the month's credits and of budgets: the load uses less than half of a month's credits. */
export const ALERT_LEVELS = [1, 2, 4, 6, 8, 11, 15, 20, 30, 50] as const;

/** It asks to be told of its month's credits, its budgets and of declines. */
export function asksForAlerts({ kind }: Pick<FireAccount, "kind">): boolean {
  return kind === "low" || kind === "planned";
}

/** Of accounts with budgets, for every model; few hold up nobody, since holds ask for little. */
export const BUDGETS = [
  { window: "day", credits: 2_000_000_000n },
  { window: "all", credits: 5_000_000_000n },
] as const;

/** Those that ask for alerts, and those that have holds. */
export function hasBudgets(account: Pick<FireAccount, "kind">): boolean {
  return asksForAlerts(account) || account.kind === "steady";
}

/** The canaries of one probe, counted from 0. */
export function canariesOf(accounts: readonly FireAccount[], probe: number): FireAccount[] {
  const all = accounts.filter(({ kind }) => kind === "canary");
  return all.slice(probe * CANARIES, (probe + 1) * CANARIES);
}
