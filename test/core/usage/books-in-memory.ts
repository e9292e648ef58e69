import { expect } from "vitest";
import type { Account, Entry, Instant, Lot } from "../../../shared/core/line/account.ts";
import { balanceOf, overlapOf, remainingOf } from "../../../shared/core/line/credit-line.ts";
import type { LowBalance } from "../../../shared/core/line/low-balance.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import { decideGrant } from "../../../shared/core/month/grant-credits.ts";
import { type ExpiredLot, inLineOrder, isLate } from "../../../shared/core/month/late-usage.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { type CountedMonth, countedMonth } from "../../../shared/core/offer/month-price.ts";
import type { OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import {
  type AccountVersion,
  type MeterVersion,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { cardOf, toRates } from "../../../shared/core/offer/rates.ts";
import type { Carried } from "../../../shared/core/usage/carried.ts";
import type { Drawn, Metering } from "../../../shared/core/usage/events-in-batch.ts";
import { groupByAccount } from "../../../shared/core/usage/group-columns.ts";
import { meterColumns } from "../../../shared/core/usage/meter-columns.ts";
import {
  accountsDue,
  type MeteringContext,
  meterUsage,
} from "../../../shared/core/usage/meter-usage.ts";
import { readSpent } from "../../../shared/core/usage/open-spend.ts";
import type { Spend } from "../../../shared/core/usage/spend.ts";
import {
  type DeadLetterReason,
  type EventWindow,
  identityOf,
  rejectEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import type { ModelAccount } from "../../model/reference-model.ts";
import {
  allPlaces,
  columnsOf,
  inOneOrder,
  ordered,
  placesOfEvents,
  possibleRepeats,
  received,
} from "../../support/core/columns-of.ts";

/** One account's rows. */
export interface AccountRows {
  account: Account;
  /** Oldest first. */
  lots: readonly Lot[];
  readonly drawn: Drawn<UsageEvent>[];
  readonly entries: Entry[];
  readonly lowBalances: LowBalance[];
  readonly spends: Spend[];
}

/**
 * What the ledger does with the core's decisions, on maps instead of tables: reads only what a batch
 * needs, decides, writes. The rows it hands out are frozen.
 */
export function openBooks(setup: {
  readonly rates: readonly MeterVersion[];
  readonly ownTerms?: readonly OwnTerms[];
  readonly window: EventWindow;
  readonly accounts: readonly Account[];
}) {
  const rates = toRates(toRateCard(setup.rates), setup.ownTerms);
  const rows = new Map<string, AccountRows>();
  const recorded = new Map<string, UsageEvent>();
  const carried = new Map<string, Map<AccountVersion | CountedMonth, bigint>>();
  const deadLetters: { event: UsageEvent; reason: DeadLetterReason }[] = [];
  let repeats = 0;
  for (const account of setup.accounts) {
    rows.set(account.accountId, {
      account: Object.freeze(account),
      lots: [],
      drawn: [],
      entries: [],
      lowBalances: [],
      spends: [],
    });
  }

  function rowsOf(accountId: string): AccountRows {
    const found = rows.get(accountId);
    if (found === undefined) throw new Error(`the books have no account ${accountId}`);
    return found;
  }

  function liveLots(accountId: string): Lot[] {
    const { account, lots } = rowsOf(accountId);
    return lots.filter((lot) => lot.end > account.position);
  }

  function store(metering: Metering<UsageEvent>): void {
    for (const { accountId, lot } of metering.movedLots) {
      const of = rowsOf(accountId);
      of.lots = of.lots.map((old) => (old.lotId === lot.lotId ? Object.freeze(lot) : old));
    }
    for (const account of metering.accounts) {
      const written = { ...account, version: account.version + 1n };
      rowsOf(account.accountId).account = Object.freeze(written);
    }
    for (const one of metering.drawn) {
      rowsOf(one.event.accountId).drawn.push(one);
      recorded.set(identityOf(one.event), one.event);
    }
    for (const { event, rejection } of metering.rejected) {
      deadLetters.push({ event, reason: rejection.reason });
    }
    for (const one of metering.carried) carriedOf(one.accountId).set(versionOf(one), one.remainder);
    for (const one of metering.months) {
      carriedOf(one.accountId).set(countedMonth(versionOf(one), one.month), one.quantity);
    }
    repeats += metering.repeats;
    append(metering);
  }

  function carriedOf(accountId: string) {
    const ofAccount = carried.get(accountId) ?? new Map<AccountVersion | CountedMonth, bigint>();
    carried.set(accountId, ofAccount);
    return ofAccount;
  }

  function versionOf({ accountId, meter, validFrom }: Omit<Carried, "remainder">): AccountVersion {
    const versions = cardOf(rates, accountId).get(meter);
    const rate = versions?.find((one) => one.validFrom === validFrom);
    if (rate === undefined) throw new Error(`no rate of ${meter} begins at ${validFrom}`);
    return rate;
  }

  function append({ entries, lowBalances, spends }: Metering<UsageEvent>): void {
    for (const entry of entries) rowsOf(entry.accountId).entries.push(entry);
    for (const low of lowBalances) rowsOf(low.accountId).lowBalances.push(low);
    for (const spend of spends) addTo(rowsOf(spend.accountId).spends, spend);
  }

  return {
    rowsOf,
    accountIds: () => [...rows.keys()],
    deadLetters,
    repeats: () => repeats,

    /** Meters one batch in the manner of one transaction. */
    meter(events: readonly UsageEvent[], now: Instant): Metering<UsageEvent> {
      const fit: UsageEvent[] = [];
      for (const event of events) {
        const rejection = rejectEvent(event, now, setup.window);
        if (rejection === null) fit.push(event);
        else deadLetters.push({ event, reason: rejection.reason });
      }
      const accounts = new Map([...rows].map(([id, { account }]) => [id, account]));
      const context: MeteringContext = {
        now,
        rates,
        accounts,
        catalogue: EMPTY_CATALOGUE,
        completeUntil: null,
        books: new Map(
          accountsDue(
            fit.map(({ accountId }) => accountId),
            accounts,
            now,
          ).map((id) => [id, { lots: liveLots(id), schedule: EMPTY_SCHEDULE }]),
        ),
        expired: new Map(
          [...rows]
            .filter(([id, { account }]) =>
              fit.some((event) => event.accountId === id && isLate(account, event)),
            )
            .map(([id, { entries, lots }]) => [id, expiredIn(entries, lots)]),
        ),
        recorded,
        carried,
      };
      const metering = meterUsage(fit, context);
      expectSameInColumns(fit, context);
      store(metering);
      return metering;
    },

    grant(
      accountId: string,
      lotId: string,
      credits: bigint,
      expiresAt: Instant | null,
      now: Instant,
    ) {
      const of = rowsOf(accountId);
      const decision = decideGrant(
        {
          lotId,
          credits,
          source: "top_up",
          reference: "",
          end: expiresAt === null ? { kind: "never" } : { kind: "at", at: expiresAt },
        },
        { account: of.account, existing: null, now },
      );
      if (decision.kind !== "granted") return decision.kind;
      const { start, end } = decision.lot;
      of.account = Object.freeze({ ...decision.account, version: decision.account.version + 1n });
      of.lots = [...of.lots, Object.freeze({ lotId, start, end, expiresAt })];
      of.entries.push(decision.entry);
      if (decision.lowBalance !== null) of.lowBalances.push(decision.lowBalance);
      return decision.kind;
    },
  };
}

/** Whatever happens, the columns give what event by event gives. */
function expectSameInColumns(events: readonly UsageEvent[], context: MeteringContext): void {
  const alike = received(events);
  for (const recorded of [context.recorded, new Map<string, UsageEvent>()]) {
    const columns = columnsOf(alike);
    const groups = groupByAccount(columns, allPlaces(columns));
    const mayRepeat = possibleRepeats(alike, recorded, placesOfEvents(columns));
    expect(inOneOrder(meterColumns(groups, { ...context, recorded, mayRepeat }))).toEqual(
      ordered(meterUsage(alike, { ...context, recorded })),
    );
  }
}

/** What the table of entries leaves of expiries. */
export function expiredIn(entries: readonly Entry[], lots: readonly Lot[]): ExpiredLot[] {
  const expired = lots.flatMap(({ expiresAt, ...lot }) => {
    const of = entries.filter(
      ({ kind, lotId }) => lotId === lot.lotId && (kind === "expiry" || kind === "reversal"),
    );
    const left = of.reduce((sum, { credits }) => sum - credits, 0n);
    return left > 0n && expiresAt !== null ? [{ ...lot, expiresAt, left }] : [];
  });
  return inLineOrder(expired);
}

export type BooksInMemory = ReturnType<typeof openBooks>;

/** The rows in the reference model's terms: what a lot has left follows from its overlap with the line. */
export function asModelTells({ account, lots, drawn, entries, lowBalances }: AccountRows) {
  const late = Map.groupBy(
    entries.filter(({ kind }) => kind === "reversal"),
    ({ reference }) => reference,
  );
  return {
    balance: balanceOf(account),
    used: drawn.reduce((sum, { credits }) => sum + credits, 0n),
    lots: lots.map((lot) => ({
      lotId: lot.lotId,
      left: remainingOf(lot, account.position),
      expiresAt: lot.expiresAt,
    })),
    records: drawn.map(({ event, credits, givenBack, start }) => {
      const paidBy = new Map<string, bigint>();
      let unpaid = credits - givenBack;
      for (const entry of late.get(REFERENCE.lateUsage.write(event)) ?? []) {
        paidBy.set(entry.lotId ?? "", entry.credits);
      }
      for (const lot of lots) {
        const paid = overlapOf(lot, { start, end: start + credits - givenBack });
        if (paid > 0n) paidBy.set(lot.lotId, paid);
        unpaid -= paid;
      }
      return { eventId: event.eventId, credits, paidBy, unpaid };
    }),
    expiries: entries
      .filter(({ kind }) => kind === "expiry")
      .map(({ lotId, credits }) => ({ lotId: lotId ?? "", credits: -credits })),
    lowBalances: lowBalances.map(({ cause, balance, needed }) => ({ cause, balance, needed })),
    entries: account.entries,
  };
}

/** The model's account without what the line does not show: a lot's original grant. */
export function asLineTells(told: ModelAccount): ReturnType<typeof asModelTells> {
  return {
    balance: told.balance,
    used: told.used,
    lots: told.lots.map(({ lotId, left, expiresAt }) => ({ lotId, left, expiresAt })),
    records: told.records.map(({ eventId, credits, paidBy, unpaid }) => ({
      eventId,
      credits,
      paidBy: new Map(paidBy),
      unpaid,
    })),
    expiries: [...told.expiries],
    lowBalances: [...told.lowBalances],
    entries: told.entries,
  };
}

/** The table of spend with what is on the account. */
export function spendsOf({ account, spends }: AccountRows): Spend[] {
  const all = spends.map((spend) => ({ ...spend }));
  for (const spend of readSpent(account)) addTo(all, spend);
  return all;
}

function addTo(spends: Spend[], more: Spend): void {
  const same = spends.find(({ hour, meter }) => hour === more.hour && meter === more.meter);
  if (same === undefined) spends.push({ ...more });
  else {
    same.events += more.events;
    same.quantity += more.quantity;
    same.credits += more.credits;
  }
}
