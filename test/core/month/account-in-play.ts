import { decideCancel, decideResume } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import { decideTimeZoneChange } from "../../../shared/core/changes/change-time-zone.ts";
import type { PayingContext, WayToPay } from "../../../shared/core/changes/paying-fees.ts";
import { decideFeePaid } from "../../../shared/core/changes/restore-subscription.ts";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import { decideSubscribe, type Subscribing } from "../../../shared/core/changes/subscribe.ts";
import type { Changed } from "../../../shared/core/changes/subscription-change.ts";
import { decideFeeFailed } from "../../../shared/core/changes/suspend-subscription.ts";
import { decideWithdrawal } from "../../../shared/core/changes/withdraw-lot.ts";
import type { Account, Entry, Instant, Lot } from "../../../shared/core/line/account.ts";
import { remainingOf } from "../../../shared/core/line/credit-line.ts";
import type { LowBalance } from "../../../shared/core/line/low-balance.ts";
import type { AccountBook } from "../../../shared/core/month/account-book.ts";
import { GRACE_MS, type LotEnd } from "../../../shared/core/month/expiry.ts";
import type { Fee, UnpaidFee } from "../../../shared/core/month/fee.ts";
import { decideGrant, type GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { type Settlement, settle } from "../../../shared/core/month/settle.ts";
import {
  EMPTY_SCHEDULE,
  type Schedule,
  type SubscriptionChange,
} from "../../../shared/core/month/subscription.ts";
import type { BillingInterval } from "../../../shared/core/offer/billing-periods.ts";
import type { AddOn, Catalogue, LotLife, Plan } from "../../../shared/core/offer/catalogue.ts";
import { toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { accountsDue, meterUsage } from "../../../shared/core/usage/meter-usage.ts";
import { accountWith, eventWith } from "../../support/core/examples.ts";
import { expiredIn } from "../usage/books-in-memory.ts";

const USUAL: LotLife = { kind: "usual" };

/**
 * Credits are small numbers: only when they come and go matters. A credit costs 10 cents a month and a
 * dollar a year, unless a plan sets another price.
 */
export const CATALOGUE: Catalogue = {
  plans: new Map([
    ["small", [plan("small", 100n)]],
    ["medium", [plan("medium", 200n)]],
    ["twin", [plan("twin", 200n)]],
    ["large", [plan("large", 300n)]],
    ["brief", [plan("brief", 100n, { kind: "months", months: 1 })]],
    ["lasting", [plan("lasting", 100n, { kind: "never" })]],
    ["growing", [plan("growing", 50n), plan("growing", 150n, USUAL, "2026-03-15")]],
    ["shrinking", [plan("shrinking", 200n), plan("shrinking", 50n, USUAL, "2026-03-15")]],
    ["euro", [{ ...plan("euro", 100n), prices: [{ currency: "EUR", monthly: 5n, yearly: 50n }] }]],
    ["free", [priced("free", 100n, [0n, 0n])]],
    [
      "dropped",
      [
        priced("dropped", 100n, [700n, 7_000n]),
        { ...plan("dropped", 150n, USUAL, "2026-01-15"), prices: [] },
      ],
    ],
    [
      "dearer",
      [
        priced("dearer", 100n, [1_000n, 10_000n]),
        priced("dearer", 100n, [1_500n, 15_000n], "2026-02-15"),
      ],
    ],
    ["precious", [priced("precious", 150n, [2_500n, 25_000n])]],
    ["odd", [priced("odd", 250n, [1_001n, 10_007n])]],
    ["penny", [priced("penny", 220n, [1_001n, 10_001n])]],
    ["cheap", [priced("cheap", 400n, [1n, 1n])]],
    ["paid", [{ ...plan("paid", 100n), firstCredits: "when_paid" }]],
    ["more-paid", [{ ...plan("more-paid", 300n), firstCredits: "when_paid" }]],
    ["free-paid", [{ ...priced("free-paid", 100n, [0n, 0n]), firstCredits: "when_paid" }]],
    ["by-days", [{ ...plan("by-days", 310n), firstMonth: "by_days" }]],
    ["more-by-days", [{ ...plan("more-by-days", 620n), firstMonth: "by_days" }]],
    ["coming", [plan("coming", 100n, USUAL, "2099-01-01")]],
  ]),
  addOns: new Map([
    ["seat", [addOn("seat", 5n)]],
    ["voice", [addOn("voice", 10n), addOn("voice", 20n, "2026-03-15")]],
  ]),
  creditPrices: new Map(),
};

function plan(planId: string, credits: bigint, life: LotLife = USUAL, from = "1900-01-01"): Plan {
  const prices = [{ currency: "USD", monthly: credits * 10n, yearly: credits * 100n }];
  return {
    ...{ planId, validFrom: Date.parse(from), credits, life, prices },
    ...{ firstCredits: "immediately", firstMonth: "whole" },
  };
}

function priced(
  planId: string,
  credits: bigint,
  [monthly, yearly]: readonly [bigint, bigint],
  from?: string,
): Plan {
  return { ...plan(planId, credits, USUAL, from), prices: [{ currency: "USD", monthly, yearly }] };
}

function addOn(addOnId: string, credits: bigint, from = "1900-01-01"): AddOn {
  return { addOnId, validFrom: Date.parse(from), credits };
}

const RATES = toRateCard([{ meter: "credits", validFrom: -(10 ** 13), credits: 1n, per: 1n }]);

/** `completeUntil` at a given time when metering is never behind. */
export function neverBehind(clock: Instant): Instant {
  return clock - GRACE_MS;
}

interface Setup {
  readonly zone?: string;
  readonly threshold?: bigint;
  readonly completeUntil?: (clock: Instant) => Instant | null;
}

/** One account and what happens to it, as the ledger would store it; instants are ISO text or numbers. */
export function openPlay({
  zone = "UTC",
  threshold = -1_000_000n,
  completeUntil = neverBehind,
}: Setup = {}) {
  let account: Account = accountWith({ timeZone: zone, threshold });
  let schedule: Schedule = EMPTY_SCHEDULE;
  let lots: Lot[] = [];
  let events = 0;
  const entries: Entry[] = [];
  const granted: GrantedLot[] = [];
  const changes: SubscriptionChange[] = [];
  const fees: Fee[] = [];
  const lowBalances: LowBalance[] = [];
  let wayToPay: WayToPay | null = "payment_method";
  let unpaidFees: readonly UnpaidFee[] = [];

  const book = (): AccountBook => {
    const live = lots.filter((lot) => lot.end > account.position);
    return { account, lots: live, schedule };
  };

  function write(done: Settlement): void {
    account = done.account;
    schedule = done.schedule;
    lots = [...lots.map((lot) => find(done.lots, lot.lotId) ?? lot), ...newOf(done.lots)];
    entries.push(...done.entries);
    granted.push(...done.granted);
    changes.push(...done.changes);
    fees.push(...done.fees);
    if (done.lowBalance !== null) lowBalances.push(done.lowBalance);
  }

  function newOf(after: readonly Lot[]): Lot[] {
    return after.filter(({ lotId }) => find(lots, lotId) === undefined);
  }

  function settleAt(at: When): void {
    const clock = toInstant(at);
    const complete = completeUntil(clock);
    const usage = complete ?? Number.NEGATIVE_INFINITY;
    write(settle(book(), CATALOGUE, { clock, usage, completeUntil: complete }));
  }

  function change<D extends { kind: string }>(
    at: When,
    decide: (context: PayingContext) => D | Changed,
  ): string {
    settleAt(at);
    const now = toInstant(at);
    const decision = decide({
      ...{ book: book(), catalogue: CATALOGUE, currency: "USD", now, by: "me" },
      ...{ wayToPay, unpaidFees },
    });
    if (decision.kind === "changed") {
      const step = decision as Changed;
      if (step.ended !== undefined) write(step.ended);
      write(step);
    }
    return decision.kind;
  }

  return {
    settle: settleAt,
    /** How it pays from now on, and what it owes. */
    pays(way: WayToPay | null, owed: readonly UnpaidFee[] = []): void {
      wayToPay = way;
      unpaidFees = owed;
    },
    /** A fee that fell due is paid, with what it brings. */
    payFee: (at: When, fee: Fee, owing = 0) =>
      change(at, (context) => decideFeePaid(fee, { ...context, owing })),
    subscribe: (at: When, planId: string, other: Partial<Subscribing> = {}) =>
      change(at, (context) =>
        decideSubscribe(
          { planId, interval: "month", renewal: "first_of_month", ...other },
          context,
        ),
      ),
    changePlan: (at: When, planId: string) =>
      change(at, (context) => decidePlanChange(planId, context)),
    changeInterval: (at: When, interval: BillingInterval) =>
      change(at, (context) => decideIntervalChange(interval, context)),
    cancel: (at: When) => change(at, decideCancel),
    resume: (at: When) => change(at, decideResume),
    addOn: (at: When, addOnId: string, units: number) =>
      change(at, (context) => decideAddOn({ addOnId, units }, context)),
    feeGivenUp: (at: When, period: number, number = 1) =>
      change(at, (context) => decideFeeFailed({ number, period }, context)),
    feePaid: (at: When, period: number, { owing = 0, number = 1 } = {}) =>
      change(at, (context) =>
        decideFeePaid({ planId: "", brings: null, number, period }, { ...context, owing }),
      ),
    moveTo: (at: When, timeZone: string) =>
      change(at, (context) => decideTimeZoneChange(timeZone, context)),

    /** Usage that occurred at `occurred` is read at `at`. */
    use(at: When, credits: bigint, occurred: When = at): void {
      const now = toInstant(at);
      events += 1;
      const event = eventWith({
        eventId: `e${events}`,
        meter: "credits",
        quantity: credits,
        occurredAt: toInstant(occurred),
      });
      const accounts = new Map([["acme", account]]);
      const due = accountsDue(["acme"], accounts, now);
      const metering = meterUsage([event], {
        now,
        rates: toRates(RATES),
        catalogue: CATALOGUE,
        completeUntil: completeUntil(now),
        accounts,
        books: new Map(due.map((id) => [id, book()])),
        recorded: new Map(),
        expired: new Map([["acme", expiredIn(entries, lots)]]),
        carried: new Map(),
      });
      const moved = metering.movedLots.map(({ lot }) => lot);
      const added = metering.granted.map(({ lot }) => lot);
      write({
        account: metering.accounts[0] ?? account,
        schedule: metering.schedules[0]?.schedule ?? schedule,
        lots: [
          ...moved,
          ...added.map(({ lotId, start, end, expiresAt }) => ({ lotId, start, end, expiresAt })),
        ],
        entries: metering.entries,
        granted: added,
        changes: metering.changes.map(({ change: one }) => one),
        fees: metering.fees.map(({ fee }) => fee),
        lowBalance: null,
      });
      lowBalances.push(...metering.lowBalances);
    },

    grant(at: When, lotId: string, credits: bigint, end: LotEnd = { kind: "usual" }): string {
      settleAt(at);
      const asked = { lotId, credits, source: "top_up", reference: "", end } as const;
      const decision = decideGrant(asked, { account, existing: null, now: toInstant(at) });
      if (decision.kind !== "granted") return decision.kind;
      const { lot, entry, lowBalance } = decision;
      const added = { lotId, start: lot.start, end: lot.end, expiresAt: lot.expiresAt };
      const after = { account: decision.account, schedule, lots: [...lots, added] };
      write({ ...after, entries: [entry], granted: [lot], changes: [], fees: [], lowBalance });
      return decision.kind;
    },

    withdraw(at: When, lotId: string, credits: bigint | null): string {
      settleAt(at);
      const lot = find(lots, lotId) ?? null;
      const asked = { lotId, credits, reference: "ticket 7" };
      const decision = decideWithdrawal(asked, { book: book(), lot, now: toInstant(at) });
      if (decision.kind === "withdrawn") write(decision);
      return decision.kind;
    },

    account: () => account,
    book,
    schedule: () => schedule,
    /** All lots ever granted, oldest first. */
    lots: () => lots,
    granted,
    changes,
    fees,
    entries,
    lowBalances,
    balance: () => account.granted - account.position,
    /** What is left of each lot that has something left. */
    left: () =>
      Object.fromEntries(
        lots
          .map((lot) => [lot.lotId, remainingOf(lot, account.position)] as const)
          .filter(([, left]) => left > 0n),
      ),
    /** The entries from `from` on, as readable lines. */
    story: (from = 0) =>
      entries
        .slice(from)
        .map(({ dueAt, credits, lotId, reference }) =>
          [iso(dueAt), credits, credits > 0n ? lotId : reference].join(" "),
        ),
    /** The fees that fell due, as readable lines. */
    bills: () =>
      fees.map(({ dueAt, amount, currency, paymentId, periods, planId }) =>
        [iso(dueAt), amount, currency, paymentId, `for ${periods} of ${planId}`].join(" "),
      ),
    /** The history as readable lines. */
    history: () =>
      changes.map(({ at, kind, by, detail }) =>
        [iso(at), kind, ...Object.values(detail), `by ${by}`].join(" "),
      ),
  };
}

export type Play = ReturnType<typeof openPlay>;
export type When = string | Instant;

/** An ISO text without offset is UTC. */
function toInstant(at: When): Instant {
  if (typeof at === "number") return at;
  const instant = Date.parse(/T.*(Z|[+-]\d\d:\d\d)$/.test(at) ? at : `${at}Z`);
  if (Number.isNaN(instant)) throw new Error(`${at} is no instant`);
  return instant;
}

/** Without seconds where they are zero. */
export function iso(instant: Instant): string {
  return new Date(instant).toISOString().replace(/(:00)?\.000Z$/, "Z");
}

function find<L extends { lotId: string }>(lots: readonly L[], lotId: string): L | undefined {
  return lots.find((lot) => lot.lotId === lotId);
}
