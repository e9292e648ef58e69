import { z } from "zod";
import { newEntryFields, postedBy, toEntry } from "../../../shared/contract/entry.ts";
import { grantedLotFields } from "../../../shared/contract/lot.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { interval } from "../../../shared/contract/subscription.ts";
import { accountId, count, credits, instant, money } from "../../../shared/contract/wire.ts";
import { settingsAt } from "../../../shared/core/history/account-settings.ts";
import type { LineAt, LineWithLots, PlacedLot } from "../../../shared/core/history/line-at.ts";
import {
  type SubscriptionThen,
  subscriptionAt,
} from "../../../shared/core/history/subscription-at.ts";
import { balanceOf, remainingOf } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import type { AccountHistory } from "../../../shared/ledger/proof/account-history.ts";

/** An account at an instant, with its line as the books had it then and as it is known now. */
export interface History extends AccountHistory {
  readonly views: LineAt;
}

const view = {
  balance: credits,
  granted: credits,
  position: credits,
  entries: count,
  lots: z.array(noun({ ...grantedLotFields, remaining: credits })),
};

export const accountHistory = noun({
  account_id: accountId,
  at: instant,
  created_at: instant,
  as_it_stood: noun({ version: count, ...view }),
  as_known_now: noun(view),
  differs: z.boolean(),
  came_in_later: noun({
    entries: z.array(noun({ ...newEntryFields, posted_at: instant, posted_by: postedBy })),
    events: z.number().int(),
    usage: credits,
  }),
  metered_ahead: credits,
  subscription: noun({
    plan_id: z.string(),
    interval,
    next_plan_id: z.string().nullable(),
    next_interval: interval.nullable(),
    cancelled: z.boolean(),
    suspended: z.boolean(),
  }).nullable(),
  add_ons: z.array(
    noun({
      add_on_id: z.string(),
      quantity: z.number().int(),
      next_quantity: z.number().int(),
    }),
  ),
  settings: z.union([
    noun({ known: z.literal(false), known_from: instant.nullable() }),
    noun({
      known: z.literal(true),
      set_at: instant,
      set_by: z.string(),
      time_zone: z.string(),
      currency: z.string(),
      threshold: credits,
      at_or_below_threshold: z.boolean(),
      auto_top_up: noun({
        enabled: z.boolean(),
        amount: money,
        limit_per_day: money,
        limit_per_month: money,
      }),
    }),
  ]),
});

export function toAccountHistory(history: History) {
  const { line, views } = history;
  const { place, addOns } = subscriptionThen(history);
  return {
    ...history,
    at: line.at,
    asItStood: { version: line.version, ...toView(history, views.stood) },
    asKnownNow: toView(history, views.known),
    differs: differs(history),
    cameInLater: {
      entries: laterEntries(history).map(toEntry),
      ...{ events: history.lateEvents, usage: line.meteredLater },
    },
    meteredAhead: line.meteredAhead,
    ...{ subscription: place, addOns },
    settings: toSettings(history),
  };
}

function toView(history: History, view: LineWithLots) {
  return {
    ...view,
    balance: balanceOf(view),
    entries: BigInt(view.entries),
    lots: view.lots.map((placed) => ({
      ...{ ...grantedLot(history, placed), ...placed },
      remaining: remainingOf(placed, view.position),
    })),
  };
}

/** The lot at a place of the line. */
export function grantedLot({ lots }: History, { lotId }: PlacedLot): GrantedLot {
  const lot = lots.find((granted) => granted.lotId === lotId);
  if (lot === undefined) throw new Error(`lot ${lotId} was granted but is not in the books`);
  return lot;
}

/** Entries that were due by then and were posted later. */
export function laterEntries({ line: { at, version, entries } }: History) {
  return entries.filter((entry) => entry.dueAt <= at && entry.version > version);
}

export function differs({ views: { stood, known } }: History): boolean {
  return (
    stood.granted !== known.granted ||
    stood.position !== known.position ||
    stood.entries !== known.entries ||
    stood.lots.some((lot, index) => {
      const other = known.lots[index];
      return other?.lotId !== lot.lotId || other.start !== lot.start || other.end !== lot.end;
    })
  );
}

export function subscriptionThen({ changes, line }: History): SubscriptionThen {
  return subscriptionAt(changes, line.at);
}

function toSettings(history: History) {
  const { settings, line, currency, views } = history;
  const then = settingsAt(settings, line.at);
  if (then === null) return { known: false as const, knownFrom: settings[0]?.at ?? null };
  const { threshold, autoTopUp } = then.settings;
  const { amount, perDay, perMonth } = amountsOf(autoTopUp, history);
  return {
    ...{ known: true as const, setAt: then.at, setBy: then.by, currency },
    ...then.settings,
    atOrBelowThreshold: balanceOf(views.stood) <= threshold,
    autoTopUp: { ...autoTopUp, amount, limitPerDay: perDay, limitPerMonth: perMonth },
  };
}
