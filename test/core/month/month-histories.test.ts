/**
 * Random histories of an account over many months: subscribing, every change, usage on time, late and
 * fast, top-ups, withdrawals, moves between time zones. Checked for each, after every step:
 *
 * - the lots tile [0, granted), the remainders sum to max(0, balance); position never falls
 * - entries and history count up by one, and the entries add up to the line
 * - each month of a subscription is granted once and none is missed
 * - a period has no more credits than the largest plan in it
 * - each month granted was charged for once, and each month charged was granted, except while a fee is
 *   given up
 * - a unit of an add-on is charged at most once in a period
 * - every past state of the line, and what later became known of it, is rebuilt from the entries
 * - the history leads to the subscription and the add-ons as they are
 * - its plans repriced under the same catalogue give the same lots and fees
 * - the books do not depend on who settled them when
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EntryPosted, lineAt } from "../../../shared/core/history/line-at.ts";
import { type PlanStep, planSteps } from "../../../shared/core/history/plan-charges.ts";
import { subscriptionAt } from "../../../shared/core/history/subscription-at.ts";
import type { Account, Instant, Lot } from "../../../shared/core/line/account.ts";
import { balanceOf, remainingOf } from "../../../shared/core/line/credit-line.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import { isDue, nextDueAt } from "../../../shared/core/month/account-book.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { type Anchor, periodStart } from "../../../shared/core/offer/billing-periods.ts";
import { planAt } from "../../../shared/core/offer/catalogue.ts";
import { CATALOGUE, neverBehind, openPlay, type Play } from "./account-in-play.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = Date.UTC(2025, 11, 28, 7);

type Action = Change | Movement;

type Change =
  | { readonly subscribe: string; readonly yearly: boolean; readonly onDay: boolean }
  | { readonly plan: string }
  | { readonly interval: "month" | "year" }
  | { readonly givenUp: number }
  | { readonly paid: number; readonly owing: number }
  | { readonly cancel: boolean }
  | { readonly addOn: string; readonly units: number }
  | { readonly zone: string };

type Movement =
  | { readonly use: bigint; readonly late: number }
  | { readonly topUp: bigint; readonly days: number }
  | { readonly withdraw: number; readonly credits: bigint | null }
  | { readonly settle: true };

/** `wait` is in milliseconds since the step before. */
type Step = Action & { readonly wait: number };

const ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "America/Havana"];
const PLANS = ["small", "medium", "twin", "large", "brief", "lasting", "growing", "shrinking"];

const somePlan = fc.constantFrom(...PLANS);
const someSubscribing = fc.record({
  subscribe: somePlan,
  yearly: fc.boolean(),
  onDay: fc.boolean(),
});
const someAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: someSubscribing },
  { weight: 4, arbitrary: fc.record({ plan: somePlan }) },
  { weight: 1, arbitrary: fc.record({ interval: fc.constantFrom("month", "year") }) },
  { weight: 1, arbitrary: fc.record({ cancel: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ givenUp: fc.integer({ min: 1, max: 2 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      paid: fc.integer({ min: 1, max: 2 }),
      owing: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ addOn: fc.constantFrom("voice", "seat"), units: fc.nat(4) }),
  },
  { weight: 2, arbitrary: fc.record({ zone: fc.constantFrom(...ZONES) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      use: fc.bigInt(0n, 90n),
      late: fc.oneof(
        fc.constant(0),
        fc.integer({ min: -3 * 60_000, max: 20 * 60_000 }),
        fc.integer({ min: 0, max: 20 * DAY }),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ topUp: fc.bigInt(1n, 80n), days: fc.nat(70) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      withdraw: fc.nat(9),
      credits: fc.option(fc.bigInt(1n, 40n)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ settle: fc.constant(true as const) }) },
);
const someWait = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: HOUR }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 * DAY }) },
  // Whole days, so that steps meet turns.
  { weight: 2, arbitrary: fc.nat(31).map((days) => days * DAY) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 150 * DAY }) },
);
const someStep: fc.Arbitrary<Step> = fc
  .tuple(someAction, someWait)
  .map(([action, wait]) => ({ ...action, wait }));
/** Most begin with a subscription, where more can happen. */
const someHistory: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.option(someSubscribing, { freq: 9 }),
    fc.array(someStep, { maxLength: 30, size: "max" }),
  )
  .map(([first, steps]) => (first === null ? steps : [{ ...first, wait: 0 }, ...steps]));
const someZone = fc.constantFrom(...ZONES);
/** Instants of an additional settlement, as fractions of the history's duration. */
const someExtras = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });

describe("whatever happens to an account, month after month", () => {
  test("the lots tile the line, and position never falls", () => {
    hold((history, zone) => {
      let before = 0n;
      play(history, zone, (acme) => {
        const account = acme.account();
        let end = 0n;
        for (const lot of acme.lots()) {
          expect(lot.start).toBe(end);
          end = lot.end;
        }
        expect(end).toBe(account.granted);
        const left = acme.lots().reduce((sum, lot) => sum + remainingOf(lot, account.position), 0n);
        expect(left).toBe(balanceOf(account) > 0n ? balanceOf(account) : 0n);
        expect(account.position >= before).toBe(true);
        before = account.position;
      });
    });
  });

  test("nextDueAt is never later than what falls due", () => {
    hold((history, zone) => {
      play(history, zone, (acme) => {
        const { nextDueAt: said } = acme.account();
        const next = nextDueAt({
          account: acme.account(),
          lots: acme.lots(),
          schedule: acme.schedule(),
        });
        expect(said ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
          next ?? Number.POSITIVE_INFINITY,
        );
      });
    });
  });

  test("settling leaves nothing due, and settling again posts nothing", () => {
    hold((history, zone) => {
      const { acme, end } = play(history, zone);
      acme.settle(end + GRACE_MS);
      const before = [acme.entries.length, acme.changes.length, acme.account()];
      expect(isDue(acme.account(), end)).toBe(false);
      acme.settle(end + GRACE_MS);
      expect([acme.entries.length, acme.changes.length, acme.account()]).toEqual(before);
    });
  });

  test("entries and history count up by one, and the entries add up to the line", () => {
    hold((history, zone) => {
      const { acme, used } = play(history, zone);
      expect(acme.entries.map(({ sequence }) => sequence)).toEqual(
        acme.entries.map((_, i) => BigInt(i + 1)),
      );
      expect(acme.account().entries).toBe(BigInt(acme.entries.length));
      expect(acme.changes.map(({ sequence }) => sequence)).toEqual(
        acme.changes.map((_, i) => i + 1),
      );
      expect(acme.schedule().changes).toBe(acme.changes.length);
      const posted = acme.entries.reduce((sum, { credits }) => sum + credits, 0n);
      expect(acme.balance()).toBe(posted - used);
      for (const [i, { position }] of acme.entries.entries()) {
        expect(position >= (acme.entries[i - 1]?.position ?? 0n)).toBe(true);
      }
    });
  });

  test("each month is granted once, on time, and none is missed", () => {
    hold((history, zone) => {
      const anchors = new Map<number, Anchor>();
      const { acme, end } = play(history, zone, ({ schedule }) => {
        const { subscription } = schedule();
        if (subscription !== null) anchors.set(subscription.number, subscription.anchor);
      });
      acme.settle(end);
      expect(acme.schedule().subscriptions).toBe(anchors.size);
      for (const [number, anchor] of anchors) expectEachMonthOnce(acme, number, anchor);
      const { subscription } = acme.schedule();
      expect(subscription?.nextPeriodAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(end);
    });
  });

  test("a period grants no more than the largest plan in it", () => {
    hold((history, zone) => {
      for (const lots of lotsByPeriod(play(history, zone).acme).values()) {
        const given = lots.reduce((sum, { credits }) => sum + credits, 0n);
        const plans = lots.map(({ reference, grantedAt }) =>
          Number(planAt(CATALOGUE, reference, grantedAt)?.credits),
        );
        expect(Number(given)).toBe(Math.max(...plans));
      }
    });
  });

  test("each month granted was charged for once, and each charged was granted unless withheld", () => {
    hold((history, zone) => {
      const { acme, end } = play(history, zone);
      acme.settle(end);
      const months = monthsCharged(acme);
      expect(new Set(months).size).toBe(months.length);
      const given = acme.granted
        .map(({ lotId }) => lotId)
        .filter((id) => /^plan:\d+:\d+$/.test(id));
      expect(given.filter((month) => !months.includes(month))).toEqual([]);
      expect(months.filter((month) => isToBeGiven(month, acme) && !given.includes(month))).toEqual(
        [],
      );
    });
  });

  test("a paid stretch costs its first fee and the shares that dearer plans add", () => {
    hold((history, zone) => {
      const { acme: last } = play(history, zone, (acme) => {
        const { subscription } = acme.schedule();
        if (subscription === null || subscription.interval === "year") return;
        const own = acme.fees.filter(
          ({ number, period, periods }) =>
            number === subscription.number && period + periods === subscription.paidUntil,
        );
        const sum = own.reduce((total, { amount }) => total + amount, 0n);
        expect(sum).toBe(subscription.paidPrice);
      });
      expect(new Set(last.fees.map(({ paymentId }) => paymentId)).size).toBe(last.fees.length);
    });
  });

  test("each unit of an add-on that is owed is charged once in a period", () => {
    hold((history, zone) => {
      const { acme, end } = play(history, zone);
      acme.settle(end + GRACE_MS);
      const charged = new Map<string, number>();
      const charges = acme.entries.filter(({ kind }) => kind === "add_on_charge");
      const ofPeriods = charges.map(({ reference }) => {
        const [, period = "", from, to] = /^(.*):(\d+)-(\d+)$/.exec(reference) ?? [];
        return { period, from: Number(from), to: Number(to) };
      });
      for (const { period, from, to } of ofPeriods.sort((a, b) => a.from - b.from)) {
        expect(from).toBe(charged.get(period) ?? 0);
        expect(to).toBeGreaterThan(from);
        charged.set(period, to);
      }
      const { subscription, addOns, dueCharges } = acme.schedule();
      if (subscription?.withheld?.includes(subscription.period)) return;
      for (const { addOnId, quantity } of addOns) {
        // A turn within the last grace has not charged yet.
        if (dueCharges.some((due) => due.addOnId === addOnId)) continue;
        const period = `add-on:${addOnId}:${subscription?.number}:${subscription?.period}`;
        expect(charged.get(period)).toBe(quantity);
      }
    });
  });

  test("low balances count up, and an account published as low is low", () => {
    hold((history, zone) => {
      const { acme } = play(history, zone, () => {}, 20n);
      expect(acme.lowBalances.map(({ crossing }) => crossing)).toEqual(
        acme.lowBalances.map((_, i) => BigInt(i + 1)),
      );
      for (const { balance } of acme.lowBalances) expect(balance <= 20n).toBe(true);
      if (acme.account().lowBalance) expect(acme.balance() <= 20n).toBe(true);
    });
  });

  test("every past state is rebuilt from the entries", () => {
    hold((history, zone) => {
      const { states, entries } = remember(history, zone);
      for (const { at, version, account, lots } of states) {
        const { granted, position } = account;
        const usage = { meteredLater: 0n, meteredAhead: 0n };
        const { stood } = lineAt({ at, entries, version, position, ...usage });
        const placed = lots.map(({ lotId, start, end }) => ({ lotId, start, end }));
        expect(stood).toEqual({
          granted,
          position,
          lots: placed,
          entries: Number(account.entries),
        });
      }
    });
  });

  test("a past instant shows what fell due and was used until then, whenever it was posted", () => {
    hold((history, zone) => {
      const { states, entries, used } = remember(history, zone);
      const sum = (all: readonly bigint[]) => all.reduce((total, credits) => total + credits, 0n);
      for (const { at, version, account } of states) {
        const usedIf = (is: (event: (typeof used)[number]) => boolean) =>
          sum(used.filter(is).map(({ credits }) => credits));
        const { position } = account;
        const { known } = lineAt({
          ...{ at, entries, version, position },
          meteredLater: usedIf((event) => event.version > version && event.occurredAt <= at),
          meteredAhead: usedIf((event) => event.version <= version && event.occurredAt > at),
        });
        const due = entries.filter(({ dueAt }) => dueAt <= at).map(({ credits }) => credits);
        const balance = sum(due) - usedIf(({ occurredAt }) => occurredAt <= at);
        expect(balanceOf(known)).toBe(balance);
        const left = sum(known.lots.map((lot) => remainingOf(lot, known.position)));
        expect(left).toBe(balance > 0n ? balance : 0n);
      }
    });
  });

  test("its history leads to the subscription and the add-ons as they are", () => {
    hold((history, zone) => {
      play(history, zone, (acme) => {
        const { subscription, addOns } = acme.schedule();
        const told = subscriptionAt(acme.changes, Number.POSITIVE_INFINITY);
        expect(told.addOns).toEqual(addOns);
        if (subscription === null) return expect(told.place).toBeNull();
        const { planId, interval, nextPlanId, nextInterval, cancelled, withheld } = subscription;
        const suspended = withheld !== null;
        expect(told.place).toEqual({
          ...{ planId, interval, nextPlanId, nextInterval, cancelled, suspended },
        });
      });
    });
  });

  test("repriced under the same catalogue, plans grant and cost the same", () => {
    hold((history, zone) => {
      const { acme } = play(history, zone);
      const { changes, fees } = acme;
      const ofPlans = acme.granted.filter(({ source }) => source === "plan");
      const months = ofPlans.flatMap(({ lotId, reference: planId, grantedAt: at }) => {
        const month = REFERENCE.monthLot.read(lotId);
        return month === null ? [] : [{ ...month, planId, at }];
      });
      const steps = planSteps({ currency: "USD", months, changes }, CATALOGUE);
      expect(sorted(steps.filter(({ credits }) => credits !== 0n).map(given))).toEqual(
        sorted(ofPlans.map((lot) => [lot.reference, lot.grantedAt, lot.credits])),
      );
      expect(sorted(steps.filter(({ price }) => price !== 0n).map(charged))).toEqual(
        sorted(fees.map(({ planId, dueAt, amount }) => [planId, dueAt, amount])),
      );
    });

    function given({ planId, at, credits }: PlanStep) {
      return [planId, at, credits ?? "not told"];
    }

    function charged({ planId, at, price }: PlanStep) {
      return [planId, at, price ?? "not told"];
    }
  });

  function hold(check: (history: readonly Step[], zone: string) => void): void {
    fc.assert(fc.property(someHistory, someZone, check), { numRuns: 150 });
  }
});

describe("the books do not depend on who settled them when", () => {
  test("lots, entries, balance, schedule and history are those of an account settled only when touched", () => {
    fc.assert(
      fc.property(someHistory, someZone, someExtras, (history, zone, extras) => {
        const touched = toTheEnd(play(history, zone));
        const settled = toTheEnd(playWithExtras(history, zone, extras, neverBehind));
        expect(booksOf(settled)).toEqual(booksOf(touched));
        expect(settled.entries).toEqual(touched.entries);
      }),
      { numRuns: 300 },
    );
  });

  test("nor across outages of metering, except for a turn's place among what waited", () => {
    const someOutage = fc.record({ from: fc.nat(300), days: fc.nat(90) });
    fc.assert(
      fc.property(
        someHistory,
        someZone,
        someExtras,
        someOutage,
        (history, zone, extras, outage) => {
          const from = BEGIN + outage.from * DAY;
          const until = from + outage.days * DAY;
          const behind = (clock: Instant) =>
            (clock > from && clock < until ? from : clock) - GRACE_MS;
          const touched = toTheEnd(playWithExtras(history, zone, [], behind));
          const settled = toTheEnd(playWithExtras(history, zone, extras, behind));
          expect(booksOf(settled)).toEqual(booksOf(touched));
          for (const turns of [true, false]) {
            const of = ({ entries }: Play) =>
              entries
                .filter(({ lotId }) => turns === (lotId?.startsWith("plan:") ?? false))
                .map(({ kind, credits, reference, dueAt }) => [kind, credits, reference, dueAt]);
            expect(sorted(of(settled))).toEqual(sorted(of(touched)));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Plays a history that starts on 28 December. */
function play(
  history: readonly Step[],
  zone: string,
  afterEach: (acme: Play) => void = () => {},
  threshold = -1_000_000n,
): { acme: Play; end: Instant; used: bigint } {
  const acme = openPlay({ zone, threshold });
  let [end, used] = [BEGIN, 0n];
  for (const step of history) {
    end += step.wait;
    perform(step, acme, end);
    if ("use" in step) used += step.use;
    afterEach(acme);
  }
  return { acme, end, used };
}

/** Plays a history and keeps each state; a step is a movement, the first of version 1. */
function remember(history: readonly Step[], zone: string) {
  const states: { at: Instant; version: bigint; account: Account; lots: readonly Lot[] }[] = [];
  const used: { version: bigint; occurredAt: Instant; credits: bigint }[] = [];
  const entries: EntryPosted[] = [];
  let at = BEGIN;
  play(history, zone, (acme) => {
    const step = history[states.length];
    if (step === undefined) throw new Error("more was played than there is");
    at += step.wait;
    const version = BigInt(states.length + 1);
    for (const entry of acme.entries.slice(entries.length)) {
      entries.push({ ...entry, version, postedAt: at });
    }
    if ("use" in step) used.push({ version, occurredAt: at - step.late, credits: step.use });
    states.push({ at, version, account: acme.account(), lots: acme.lots() });
  });
  return { states, entries, used };
}

function playWithExtras(
  history: readonly Step[],
  zone: string,
  extras: readonly number[],
  completeUntil: (clock: Instant) => Instant,
): { acme: Play; end: Instant } {
  const acme = openPlay({ zone, completeUntil });
  const length = history.reduce((sum, { wait }) => sum + wait, 0);
  const waiting = extras.map((part) => BEGIN + Math.floor(part * length)).sort((a, b) => a - b);
  let end = BEGIN;
  for (const step of history) {
    end += step.wait;
    while ((waiting[0] ?? Number.POSITIVE_INFINITY) <= end) acme.settle(waiting.shift() ?? end);
    perform(step, acme, end);
  }
  return { acme, end };
}

function toTheEnd({ acme, end }: { acme: Play; end: Instant }): Play {
  acme.settle(end + 200 * DAY);
  return acme;
}

function perform(step: Step, acme: Play, now: Instant): void {
  if ("subscribe" in step) {
    const renewal = step.onDay ? "day_of_month" : "first_of_month";
    acme.subscribe(now, step.subscribe, { interval: step.yearly ? "year" : "month", renewal });
  } else if ("plan" in step) acme.changePlan(now, step.plan);
  else if ("interval" in step) acme.changeInterval(now, step.interval);
  else if ("givenUp" in step) acme.feeGivenUp(now, 0, step.givenUp);
  else if ("paid" in step) acme.feePaid(now, 0, { number: step.paid, owing: step.owing });
  else if ("cancel" in step) step.cancel ? acme.cancel(now) : acme.resume(now);
  else if ("addOn" in step) acme.addOn(now, step.addOn, step.units);
  else if ("zone" in step) acme.moveTo(now, step.zone);
  else moveCredits(step, acme, now);
}

function moveCredits(step: Movement, acme: Play, now: Instant): void {
  if ("use" in step) acme.use(now, step.use, now - step.late);
  else if ("topUp" in step) {
    const topUps = acme.lots().filter(({ lotId }) => lotId.startsWith("top-up")).length;
    const end = { kind: "at", at: now + step.days * DAY + 1 } as const;
    acme.grant(now, `top-up-${topUps}`, step.topUp, end);
  } else {
    acme.settle(now);
    if (!("withdraw" in step)) return;
    const lots = acme.lots();
    acme.withdraw(now, lots[step.withdraw % Math.max(lots.length, 1)]?.lotId ?? "", step.credits);
  }
}

/** Everything but the entries and the number of low balances: each settlement is one movement. */
function booksOf(acme: Play) {
  const { granted, position, nextDueAt: next, timeZone }: Account = acme.account();
  return {
    fees: acme.fees,
    line: { granted, position, next, timeZone },
    lots: acme.lots(),
    granted: acme.granted.map(({ start: _, end: __, ...lot }) => lot),
    schedule: acme.schedule(),
    changes: acme.changes,
    entries: acme.entries.length,
  };
}

/**
 * Unless suspended: its periods from 0 on, each at most a time zone's offset from its date in UTC, up to
 * its end.
 */
function expectEachMonthOnce(acme: Play, number: number, anchor: Anchor): void {
  if (acme.changes.some(({ kind }) => kind === "suspended")) return;
  const isMonth = new RegExp(`^plan:${number}:\\d+$`);
  const months = acme.granted.filter(({ lotId }) => isMonth.test(lotId));
  const { subscription } = acme.schedule();
  if (subscription?.number === number) expect(months).toHaveLength(subscription.period + 1);
  else {
    const ended = acme.changes.filter(({ kind }) => kind === "ended")[number - 1]?.at ?? 0;
    expectAbout(ended, periodStart(anchor, months.length, "UTC"));
  }
  for (const [period, { lotId, grantedAt }] of months.entries()) {
    expect(lotId).toBe(`plan:${number}:${period}`);
    if (period > 0) expectAbout(grantedAt, periodStart(anchor, period, "UTC"));
  }
}

/** The lot ids of all months paid by fees of whole paid stretches. */
function monthsCharged({ fees }: Play): string[] {
  return fees
    .filter(({ paymentId }) => /^fee:\d+:\d+$/.test(paymentId))
    .flatMap(({ number, period, periods }) =>
      Array.from({ length: periods }, (_, index) => `plan:${number}:${period + index}`),
    );
}

/** It has begun under the running subscription, and is not withheld. */
function isToBeGiven(month: string, acme: Play): boolean {
  const [, number = 0, period = 0] = month.split(":").map(Number);
  const { subscription } = acme.schedule();
  if (subscription === null || subscription.number !== number) return false;
  return period <= subscription.period && subscription.withheld?.includes(period) !== true;
}

function expectAbout(instant: Instant, inUtc: Instant): void {
  expect(Math.abs(instant - inUtc)).toBeLessThanOrEqual(26 * HOUR);
}

function lotsByPeriod(acme: Play): Map<string, readonly GrantedLot[]> {
  const ofPlans = acme.granted.filter(({ source }) => source === "plan");
  return Map.groupBy(ofPlans, ({ lotId }) => lotId.split(":").slice(0, 3).join(":"));
}

function sorted(rows: readonly (string | bigint | number)[][]): string[] {
  return rows.map((row) => row.join(" ")).sort();
}
