import type { AddOn, Plan } from "../../shared/core/offer/catalogue.ts";
import { createMonthModel, type MonthModel } from "./month-model.ts";
import type { Catalogue } from "./month-terms.ts";

/** A model with one account, acme, and a catalogue whose numbers are small enough to add up by hand. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** `small`, `mid`, `big` and `huge` are ordinary plans; the others are named for their peculiarity. */
const CATALOGUE: Catalogue = {
  plans: versionsBy(
    ({ planId }) => planId,
    [
      plan("small", 100n),
      plan("mid", 200n),
      plan("big", 300n),
      plan("huge", 1_000n),
      plan("one-month", 100n, { life: { kind: "months", months: 1 } }),
      plan("for-ever", 100n, { life: { kind: "never" } }),
      plan("shrinking", 300n),
      plan("shrinking", 150n, { validFrom: at("2025-01-20T00:00Z") }),
      plan("growing", 100n),
      plan("growing", 250n, { validFrom: at("2025-01-20T00:00Z") }),
      plan("from-february", 100n, { validFrom: at("2025-02-01T00:00Z") }),
      plan("euros-only", 100n, { prices: [{ currency: "EUR", monthly: 900n, yearly: 9_000n }] }),
      plan("dear", 150n, { prices: [{ currency: "USD", monthly: 1_700n, yearly: 17_001n }] }),
      plan("free", 120n, { prices: [{ currency: "USD", monthly: 0n, yearly: 0n }] }),
      plan("dropped", 100n),
      plan("dropped", 100n, { validFrom: at("2025-01-20T00:00Z"), prices: [] }),
      plan("endless", 9_223_372_036_854_775_807n),
      plan("paid-first", 100n, { firstCredits: "when_paid" }),
      plan("more-paid-first", 310n, {
        firstCredits: "when_paid",
        prices: [{ currency: "USD", monthly: 3_100n, yearly: 31_000n }],
      }),
      plan("by-days", 100n, { firstMonth: "by_days" }),
      plan("more-by-days", 310n, {
        firstMonth: "by_days",
        prices: [{ currency: "USD", monthly: 3_100n, yearly: 31_000n }],
      }),
    ],
  ),
  addOns: versionsBy(({ addOnId }) => addOnId, [
    { addOnId: "voice", validFrom: 0, credits: 10n },
    { addOnId: "base", validFrom: 0, credits: 7n },
    { addOnId: "base", validFrom: at("2025-02-01T00:00Z"), credits: 9n },
    { addOnId: "dear", validFrom: 0, credits: 9_223_372_036_854_775_807n },
  ] satisfies AddOn[]),
};

function plan(planId: string, credits: bigint, given: Partial<Plan> = {}): Plan {
  const prices = [{ currency: "USD", monthly: 1_000n, yearly: 10_000n }];
  return {
    ...{ planId, validFrom: 0, credits, life: { kind: "usual" }, prices },
    ...{ firstCredits: "immediately", firstMonth: "whole" },
    ...given,
  };
}

function versionsBy<T>(idOf: (version: T) => string, versions: readonly T[]): Map<string, T[]> {
  return Map.groupBy(versions, idOf);
}

export interface World {
  readonly model: MonthModel;
  /** Credits used; both instants as text, received when it occurred by default. */
  use(credits: bigint, occurredAt: string, takenAt?: string): void;
  subscribe(planId: string, when: string, how?: Partial<HowSubscribed>): string;
  /** Metering has caught up and the scheduler runs. */
  settleComplete(when: string): void;
  settle(when: string): void;
  setAddOn(addOnId: string, quantity: number, when: string): string;
  changePlan(planId: string, when: string): string;
  feeGivenUp(when: string): string;
  feePaid(when: string): string;
  /** Of the first subscription, by its id. */
  payFee(paymentId: string, when: string): string;
  balance(): bigint;
  /** `id credits/left granted..ends`, oldest first. */
  lots(): string[];
  /** `kind credits what due`, in the order posted. */
  entries(): string[];
  lowBalances(): string[];
  /** `id amount for periods of plan due`, in the order in which they fell due. */
  fees(): string[];
}

interface HowSubscribed {
  readonly interval: "month" | "year";
  readonly renewal: "first_of_month" | "day_of_month";
}

export function openWorld({ timeZone = "UTC", threshold = 0n } = {}): World {
  const model = createMonthModel({
    catalogue: CATALOGUE,
    rates: [{ meter: "credit", validFrom: 0, credits: 1n, per: 1n }],
    window: { maxAheadMs: 5 * MINUTE, maxBehindMs: 35 * DAY },
  });
  model.createAccount("acme", { timeZone, currency: "USD", threshold });
  let events = 0;
  return {
    model,
    use(quantity, occurredAt, takenAt = occurredAt) {
      events += 1;
      const event = {
        eventId: String(events),
        accountId: "acme",
        meter: "credit",
        quantity,
        occurredAt: at(occurredAt),
        source: "",
        dimensions: {},
        quantities: {},
        holdId: null,
      };
      const outcome = model.receive(event, at(takenAt));
      if (outcome !== "metered") throw new Error(`event ${events}: ${outcome}`);
    },
    subscribe: (planId, when, { interval = "month", renewal = "first_of_month" } = {}) =>
      model.subscribe("acme", { planId, interval, renewal }, at(when)),
    settleComplete(when) {
      model.caughtUp(at(when));
      model.settle("acme", at(when));
    },
    settle: (when) => model.settle("acme", at(when)),
    setAddOn: (addOnId, quantity, when) => model.setAddOn("acme", { addOnId, quantity }, at(when)),
    changePlan: (planId, when) => model.changePlan("acme", planId, at(when)),
    feeGivenUp: (when) => model.feeGivenUp("acme", { number: 1 }, at(when)),
    feePaid: (when) => model.feePaid("acme", { number: 1, owing: 0 }, at(when)),
    payFee: (paymentId, when) =>
      model.feePaid("acme", { number: 1, owing: 0, paymentId }, at(when)),
    balance: () => model.account("acme").balance,
    lots: () =>
      model
        .account("acme")
        .lots.map(
          ({ lotId, credits, left, grantedAt, expiresAt }) =>
            `${lotId} ${credits}/${left} ${day(grantedAt)}..${expiresAt === null ? "" : day(expiresAt)}`,
        ),
    entries: () =>
      model
        .account("acme")
        .entries.map(
          ({ kind, credits, lotId, reference, dueAt }) =>
            `${kind} ${credits} ${kind === "add_on_charge" ? reference : lotId} ${day(dueAt)}`,
        ),
    fees: () =>
      model
        .account("acme")
        .fees.map(
          ({ paymentId, amount, periods, planId, dueAt }) =>
            `${paymentId} ${amount} for ${periods} of ${planId} ${day(dueAt)}`,
        ),
    lowBalances: () =>
      model.account("acme").lowBalances.map(({ cause, balance }) => `${cause} at ${balance}`),
  };
}

export function at(text: string): number {
  const instant = Date.parse(text.length === 10 ? `${text}T00:00Z` : text);
  if (Number.isNaN(instant)) throw new Error(`${text} is no instant`);
  return instant;
}

/** As short as possible: a whole UTC day without its time, a whole minute without seconds. */
export function day(instant: number): string {
  return new Date(instant)
    .toISOString()
    .replace(/(:00)?\.000Z$/, "Z")
    .replace(/T00:00Z$/, "");
}
