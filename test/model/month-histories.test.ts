/**
 * The model's invariants over generated histories. Checked for each account after each tick:
 *
 * - what is left of the lots sums to max(0, balance)
 * - granted = used + charged + expired + withdrawn + balance
 * - a subscription's periods are granted once each, none is missed, each at the first instant of a day,
 *   except while a fee is given up
 * - no month is granted that was not charged for, and none is charged twice
 * - nothing is charged twice: each charge has a reference of its own
 * - lots, entries and balances do not depend on the scheduler; in an outage of metering the order of
 *   entries may
 */
import { describe, expect, test } from "vitest";
import { readTrace } from "../../infra/demo/trace.ts";
import { makeHistory, withScheduler } from "./month-histories.ts";
import type { MonthHistory, TracedUse } from "./month-history.ts";
import type { MonthAccount, MonthModel } from "./month-model.ts";
import { openHistory, playStep } from "./play-month.ts";
import { historyAsCode, shorten } from "./shorten-history.ts";
import { dateShown } from "./wall-calendar.ts";

const TRACE: TracedUse[] = (await readTrace()).map(({ afterMs, inputTokens, outputTokens }) => ({
  seconds: afterMs / 1_000,
  tokens: Number(inputTokens + outputTokens),
}));
const SEEDS = [1, 2, 3, 4, 5];

describe("whatever happens in two years", () => {
  test("the books add up", async () => {
    for (const seed of SEEDS) {
      await hold(historyOf(seed, 30), (history) => {
        const model = openHistory(history);
        let wrong: string | null = null;
        let played = 0;
        for (const step of history.steps) {
          playStep(model, step);
          played += 1;
          if (played % 500 !== 0 && played < history.steps.length) continue;
          for (const { id } of history.accounts) wrong ??= whyWrong(model.account(id));
        }
        return wrong;
      });
    }
  });

  test("each month comes once and none is missed", async () => {
    for (const seed of SEEDS) {
      await hold(historyOf(seed, 30), (history) => {
        const model = playAll(history);
        const end = history.steps.at(-1)?.at ?? 0;
        const moved = new Set(
          history.steps.flatMap((step) => (step.kind === "change zone" ? [step.account] : [])),
        );
        let wrong: string | null = null;
        const owing = new Set(
          history.steps.flatMap((step) => (step.kind === "fee given up" ? [step.account] : [])),
        );
        for (const { id } of history.accounts) {
          model.settle(id, end);
          wrong ??= whyFeesWrong(model.account(id));
          if (owing.has(id)) continue;
          wrong ??= whyMonthsWrong(model.account(id), end);
          if (!moved.has(id)) wrong ??= whyTurnsWrong(model.account(id));
        }
        return wrong;
      });
    }
  });

  test("the books do not depend on the scheduler", async () => {
    for (const seed of SEEDS) {
      await hold(historyOf(seed, 20, 0), (history) => {
        return whyDifferent(history, ({ lots, entries, fees, balance }) => {
          return { lots, entries, fees, balance };
        });
      });
    }
  });

  test("with outages of metering, only the order of entries depends on the scheduler", async () => {
    for (const seed of SEEDS) {
      await hold(historyOf(seed, 20, 6), (history) => {
        return whyDifferent(history, ({ lots, entries, fees, balance }) => ({
          lots,
          fees,
          balance,
          entries: entries.map((entry) => asText(entry)).sort(),
        }));
      });
    }
  });

  test("every kind of step and outcome occurs", () => {
    const history = historyOf(6, 200);
    const model = openHistory(history);
    const outcomes = new Set(history.steps.map((step) => playStep(model, step)));
    expect([...outcomes].sort()).toEqual(
      [
        ...["add_on_change_planned", "add_on_changed", "cancelled", "already_cancelled"],
        ...[
          "caught up",
          "granted",
          "interval_change_planned",
          "metered",
          "no_change",
          "no_plan_price",
        ],
        ...["no_subscription", "not_cancelled", "plan_change_planned", "plan_changed", "repeat"],
        ...["resumed", "subscribed", "already_subscribed", "time_zone_changed", "too_far_ahead"],
        ...["too_long_ago", "exceeds_remaining", "unknown_add_on", "unknown_lot", "unknown_plan"],
        ...[
          "withdrawn",
          "subscription_suspended",
          "suspended",
          "restored",
          "restored, ended",
          "restored, interval_changed",
        ],
      ].sort(),
    );
  });
});

describe("a history", () => {
  test("is the same for the same seed, in order of time, and plain data", () => {
    const history = historyOf(7, 10);
    expect(historyOf(7, 10)).toEqual(history);
    expect(historyOf(8, 10)).not.toEqual(history);
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    for (const [index, step] of history.steps.entries()) {
      expect(step.at).toBeGreaterThanOrEqual(history.steps[index - 1]?.at ?? 0);
    }
  });

  test("that fails is shortened to the steps that matter, and printed as code to paste", async () => {
    const history = historyOf(10, 40);
    const fails = (shorter: MonthHistory) => {
      const model = playAll(shorter);
      return model.accountIds().some((id) => model.account(id).subscriptions >= 2);
    };
    expect(fails(history)).toBe(true);
    const short = await shorten(history, fails);
    expect(short.accounts.length).toBe(1);
    expect(short.steps.map(({ kind }) => kind)).toEqual(["subscribe", "cancel", "subscribe"]);
    const pasted: unknown = new Function(`return ${historyAsCode(short)}`)();
    expect(pasted).toEqual(short);
  });
});

function historyOf(seed: number, accounts: number, outages?: number): MonthHistory {
  const shape = { seed, accounts, months: 24, trace: TRACE };
  return makeHistory(outages === undefined ? shape : { ...shape, outages });
}

function playAll(history: MonthHistory): MonthModel {
  const model = openHistory(history);
  for (const step of history.steps) playStep(model, step);
  return model;
}

/** `whyWrong` returns what is wrong, or null; a failing history is shortened and printed. */
async function hold(
  history: MonthHistory,
  whyWrong: (history: MonthHistory) => string | null,
): Promise<void> {
  const wrong = whyWrong(history);
  if (wrong === null) return;
  const short = await shorten(history, (shorter) => whyWrong(shorter) !== null, { tries: 1_000 });
  throw new Error(`${whyWrong(short)}, after\n${historyAsCode(short)}`);
}

function whyWrong({ balance, used, lots, entries, dueCharges }: MonthAccount): string | null {
  const left = lots.reduce((sum, lot) => sum + lot.left, 0n);
  if (left !== (balance > 0n ? balance : 0n)) return `${left} are left of a balance of ${balance}`;
  const posted = entries.reduce((sum, { credits }) => sum + credits, 0n);
  if (posted - used !== balance) return `${posted} - ${used} is not ${balance}`;
  const granted = entries.filter(({ kind }) => kind === "grant");
  if (granted.length !== lots.length) return `${lots.length} lots by ${granted.length} grants`;
  if (lots.some((lot) => lot.left < 0n || lot.left > lot.credits)) return "a lot has too much left";
  const charged = entries.flatMap(({ kind, reference }) =>
    kind === "add_on_charge" ? [reference] : [],
  );
  const waiting = dueCharges.map(
    ({ addOnId, subscription, period, units }) =>
      `add-on:${addOnId}:${subscription}:${period}:0-${units}`,
  );
  const charges = [...charged, ...waiting];
  return new Set(charges).size === charges.length ? null : "an add-on is charged twice";
}

/** Settled at `end`. */
function whyMonthsWrong(account: MonthAccount, end: number): string | null {
  const { subscription, subscriptions, lots } = account;
  for (let number = 1; number <= subscriptions; number += 1) {
    const own = lots.filter(({ lotId }) => new RegExp(`^plan:${number}:\\d+$`).test(lotId));
    const periods = own.map(({ lotId }) => Number(lotId.split(":")[2]));
    if (periods.some((period, index) => period !== index)) return `periods ${periods}`;
    const gaps = own.slice(1).map((lot, index) => lot.grantedAt - (own[index]?.grantedAt ?? 0));
    const days = gaps.slice(1).map((gap) => gap / 86_400_000);
    if (days.some((gap) => gap < 26 || gap > 33)) return `periods of ${days} days`;
    if (subscription?.number === number && subscription.period !== periods.length - 1) {
      return `period ${subscription.period} after ${periods}`;
    }
  }
  return subscription !== null && subscription.nextPeriodAt <= end ? "a turn is missing" : null;
}

/** Each month granted was charged for once; plan gift costs nothing. */
function whyFeesWrong({ lots, fees }: MonthAccount): string | null {
  const whole = fees.filter(({ paymentId }) => /^fee:\d+:\d+$/.test(paymentId));
  for (const { lotId } of lots) {
    const [, number, month] = /^plan:(\d+):(\d+)$/.exec(lotId) ?? [];
    if (month === undefined) continue;
    const charged = whole.filter(
      ({ subscription, period, periods }) =>
        subscription === Number(number) &&
        period <= Number(month) &&
        Number(month) < period + periods,
    );
    if (charged.length > 1) return `${lotId} is charged ${charged.length} times`;
    if (charged.length === 0 && !lots.some(isFree)) return `${lotId} is given for nothing`;
  }
  return null;
}

/** The plan of a period follows from its lots' credits. */
function isFree({ credits }: MonthAccount["lots"][number]): boolean {
  return credits === 60_000_000n;
}

/**
 * For an account that never changed its time zone: each month's lot starts with a day, the first or its
 * anchor.
 */
function whyTurnsWrong({ lots, timeZone, subscription }: MonthAccount): string | null {
  for (const { lotId, grantedAt } of lots) {
    if (subscription === null) return null;
    const [, number, period] = /^plan:(\d+):(\d+)$/.exec(lotId) ?? [];
    if (Number(number) !== subscription.number || period === "0") continue;
    const date = dateShown(grantedAt, timeZone);
    if (dateShown(grantedAt - 1, timeZone) === date) return `${lotId} within ${date}`;
    const asked = Number(subscription.anchor.date.slice(8));
    const tomorrow = dateShown(grantedAt + 26 * 3_600_000, timeZone);
    const isLast = tomorrow.slice(5, 7) !== date.slice(5, 7);
    if (Number(date.slice(8)) === asked || (Number(date.slice(8)) < asked && isLast)) continue;
    return `${lotId} on ${date}, not on ${asked}`;
  }
  return null;
}

function whyDifferent(
  history: MonthHistory,
  view: (account: MonthAccount) => unknown,
): string | null {
  const end = history.steps.at(-1)?.at ?? 0;
  const [never, always] = [history, withScheduler(history)].map(playAll);
  for (const { id } of history.accounts) {
    const [a, b] = [never, always].map((model) => {
      model?.settle(id, end);
      return asText(view(model?.account(id) ?? fail()));
    });
    if (a !== b) return `${id} without a scheduler ${a}, with one ${b}`;
  }
  return null;
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "bigint" ? String(part) : part,
  );
}

function fail(): never {
  throw new Error("the account has gone");
}
