import type { BillingInterval, Renewal } from "../../shared/core/offer/billing-periods.ts";
import type { MeterVersion } from "../../shared/core/offer/rate-card.ts";
import type {
  DeadLetterReason,
  EventWindow,
  UsageEvent,
} from "../../shared/core/usage/usage-event.ts";
import {
  emptyMonthBooks,
  type MonthBooks,
  type MonthEntry,
  type MonthFee,
  postUse,
} from "./month-books.ts";
import {
  cancel,
  changeInterval,
  changePlan,
  changeTimeZone,
  resume,
  setAddOn,
  subscribe,
} from "./month-changes.ts";
import { type GrantAsked, grant, type WithdrawalAsked, withdraw } from "./month-credits.ts";
import { settle } from "./month-settle.ts";
import { feeGivenUp, feePaid } from "./month-suspensions.ts";
import type { AddOnUse, Catalogue, DueCharge, MonthSubscription } from "./month-terms.ts";
import { backFor, balanceOf, roomForDraw, sayIfLow } from "./naive-books.ts";
import { createMetering } from "./naive-metering.ts";

/**
 * The month, in the simplest possible way: reference-model.ts with plans, add-ons, turns, and expiries
 * by two clocks. Periods are found by walking the calendar, credits move one lot at a time. It shares no
 * code with shared/core.
 *
 * It is fed what the system received, in the same order, with a clock (`now`) that never goes back.
 * Every command settles its account first, even if it is then refused, and returns the kind of the
 * change or of the refusal.
 */
export interface MonthModel {
  createAccount(
    accountId: string,
    about: { readonly timeZone: string; readonly currency: string; readonly threshold?: bigint },
  ): void;
  grant(accountId: string, asked: GrantAsked, now: number): ReturnType<typeof grant>;
  withdraw(accountId: string, asked: WithdrawalAsked, now: number): ReturnType<typeof withdraw>;
  subscribe(
    accountId: string,
    asked: {
      readonly planId: string;
      readonly interval: BillingInterval;
      readonly renewal: Renewal;
    },
    now: number,
  ): ReturnType<typeof subscribe>;
  changePlan(accountId: string, planId: string, now: number): ReturnType<typeof changePlan>;
  changeInterval(
    accountId: string,
    interval: BillingInterval,
    now: number,
  ): ReturnType<typeof changeInterval>;
  cancel(accountId: string, now: number): ReturnType<typeof cancel>;
  resume(accountId: string, now: number): ReturnType<typeof resume>;
  /** A fee of that subscription is given up. */
  feeGivenUp(
    accountId: string,
    fee: { readonly number: number },
    now: number,
  ): ReturnType<typeof feeGivenUp>;
  /** A given-up fee was paid, while `owing` are still owed. */
  feePaid(
    accountId: string,
    fee: { readonly number: number; readonly owing: number; readonly paymentId?: string },
    now: number,
  ): ReturnType<typeof feePaid>;
  /** Sets the units of an add-on; 0 cancels it. */
  setAddOn(
    accountId: string,
    asked: { readonly addOnId: string; readonly quantity: number },
    now: number,
  ): ReturnType<typeof setAddOn>;
  changeTimeZone(
    accountId: string,
    timeZone: string,
    now: number,
  ): ReturnType<typeof changeTimeZone>;
  /** Meters one event and returns its outcome. */
  receive(event: UsageEvent, now: number): "metered" | "repeat" | DeadLetterReason;
  /** Settles an account as the scheduler does. */
  settle(accountId: string, clock: number): void;
  /** Metering has read every partition to its end. */
  caughtUp(at: number): void;
  /** Throws for an account that was not created. */
  account(accountId: string): MonthAccount;
  accountIds(): string[];
}

/** The expected state of an account. All credits are micro-credits. */
export interface MonthAccount {
  readonly timeZone: string;
  /** Below zero it is debt. */
  readonly balance: bigint;
  /** All usage ever metered, paid for or not. */
  readonly used: bigint;
  /** Oldest first, expired ones included; `credits` is the original grant, whatever was withdrawn. */
  readonly lots: readonly {
    readonly lotId: string;
    readonly credits: bigint;
    readonly left: bigint;
    readonly grantedAt: number;
    readonly expiresAt: number | null;
  }[];
  /** In the order posted: the first has sequence 1. */
  readonly entries: readonly MonthEntry[];
  /** In the order in which they fell due, then by id. */
  readonly fees: readonly MonthFee[];
  /** In the order published: the first is crossing 1. `cause` is `event:<id>` or `entry:<sequence>`. */
  readonly lowBalances: readonly {
    readonly cause: string;
    readonly balance: bigint;
    readonly needed: boolean;
  }[];
  readonly subscription:
    | (Readonly<Omit<MonthSubscription, "withheld">> & {
        readonly withheld: readonly number[] | null;
      })
    | null;
  readonly subscriptions: number;
  /** By id. */
  readonly addOns: readonly Readonly<AddOnUse>[];
  /** By due instant, then by add-on. */
  readonly dueCharges: readonly DueCharge[];
}

const GRACE = 15 * 60_000;

export function createMonthModel(setup: {
  readonly catalogue: Catalogue;
  readonly rates: readonly MeterVersion[];
  readonly window: EventWindow;
}): MonthModel {
  const { catalogue } = setup;
  const accounts = new Map<string, MonthBooks>();
  const metering = createMetering(setup);
  let completeUntil = Number.NEGATIVE_INFINITY;

  function booksOf(accountId: string): MonthBooks {
    const books = accounts.get(accountId);
    if (books === undefined) throw new Error(`the model has no account ${accountId}`);
    return books;
  }

  function settled(accountId: string, clock: number): MonthBooks {
    const books = booksOf(accountId);
    settle(books, catalogue, { clock, usage: completeUntil, completeUntil });
    return books;
  }

  return {
    createAccount(accountId, { timeZone, currency, threshold = 0n }) {
      if (accounts.has(accountId)) throw new Error(`the model has account ${accountId} already`);
      accounts.set(accountId, emptyMonthBooks({ timeZone, currency, threshold }));
    },
    grant: (accountId, asked, now) => grant(settled(accountId, now), asked, now),
    withdraw: (accountId, asked, now) => withdraw(settled(accountId, now), asked, now),
    subscribe: (accountId, asked, now) => subscribe(settled(accountId, now), catalogue, asked, now),
    changePlan: (accountId, planId, now) =>
      changePlan(settled(accountId, now), catalogue, planId, now),
    changeInterval: (accountId, interval, now) => changeInterval(settled(accountId, now), interval),
    cancel: (accountId, now) => cancel(settled(accountId, now)),
    resume: (accountId, now) => resume(settled(accountId, now)),
    feeGivenUp: (accountId, fee, now) => feeGivenUp(settled(accountId, now), fee),
    feePaid: (accountId, fee, now) => feePaid(settled(accountId, now), catalogue, fee, now),
    setAddOn: (accountId, asked, now) => setAddOn(settled(accountId, now), catalogue, asked, now),
    changeTimeZone: (accountId, timeZone, now) =>
      changeTimeZone(settled(accountId, now), timeZone, now),
    receive(event, now) {
      const unfit = metering.whyUnfit(event, now) ?? metering.metBefore(event);
      if (unfit !== null) return unfit;
      const books = accounts.get(event.accountId);
      if (books === undefined) return "unknown_account";
      const credits = metering.priceOf(event);
      if (typeof credits === "string") return credits;
      const usage = Math.max(Math.min(event.occurredAt, now), completeUntil);
      settle(books, catalogue, { clock: now, usage, completeUntil });
      const onLine = credits - backFor(books, credits, event.occurredAt);
      if (onLine > roomForDraw(books)) return "overflow";
      postUse(books, event, credits);
      books.used += credits;
      if (onLine > 0n) sayIfLow(books, `event:${event.eventId}`);
      metering.remember(event);
      return "metered";
    },
    settle: (accountId, clock) => void settled(accountId, clock),
    caughtUp(at) {
      completeUntil = Math.max(completeUntil, at - GRACE);
    },
    account: (accountId) => tell(booksOf(accountId)),
    accountIds: () => [...accounts.keys()],
  };
}

function tell(books: MonthBooks): MonthAccount {
  const { timeZone, used, posted, lowBalances, subscription, subscriptions } = books;
  return {
    timeZone,
    balance: balanceOf(books),
    used,
    lots: books.lots.map(({ expired: _, gone: __, ...lot }) => lot),
    entries: [...posted],
    lowBalances: [...lowBalances],
    fees: books.fees.toSorted((a, b) => a.dueAt - b.dueAt || (a.paymentId < b.paymentId ? -1 : 1)),
    subscription: subscription && {
      ...subscription,
      withheld: subscription.withheld?.slice() ?? null,
    },
    subscriptions,
    addOns: books.addOns.map((use) => ({ ...use })).sort(byAddOn),
    dueCharges: books.dueCharges.toSorted((a, b) => a.dueAt - b.dueAt || byAddOn(a, b)),
  };
}

function byAddOn(a: { readonly addOnId: string }, b: { readonly addOnId: string }): number {
  if (a.addOnId === b.addOnId) return 0;
  return a.addOnId < b.addOnId ? -1 : 1;
}
