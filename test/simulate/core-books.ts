import type { Account, Entry, Lot } from "../../shared/core/line/account.ts";
import type { LowBalance } from "../../shared/core/line/low-balance.ts";
import { GRACE_MS, uptoClock } from "../../shared/core/month/expiry.ts";
import type { Fee } from "../../shared/core/month/fee.ts";
import { type GrantedLot, toLot } from "../../shared/core/month/grant-credits.ts";
import { type ExpiredLot, inLineOrder, isLate } from "../../shared/core/month/late-usage.ts";
import { type Movement, movementOf } from "../../shared/core/month/movement.ts";
import { type Settlement, settle } from "../../shared/core/month/settle.ts";
import { EMPTY_SCHEDULE, type Schedule } from "../../shared/core/month/subscription.ts";
import type { Catalogue } from "../../shared/core/offer/catalogue.ts";
import { type MeterVersion, toRateCard } from "../../shared/core/offer/rate-card.ts";
import { toRates } from "../../shared/core/offer/rates.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import type { Metering } from "../../shared/core/usage/events-in-batch.ts";
import { accountsDue, meterUsage } from "../../shared/core/usage/meter-usage.ts";
import {
  DEFAULT_WINDOW,
  identityOf,
  rejectEvent,
  type UsageEvent,
} from "../../shared/core/usage/usage-event.ts";
import type { HistoryAccount } from "../model/month-history.ts";

/** An account's rows. */
export interface CoreAccount {
  account: Account;
  readonly currency: string;
  schedule: Schedule;
  /** In the order in which they were granted. */
  readonly lots: GrantedLot[];
  readonly entries: Entry[];
  readonly fees: Fee[];
  readonly lowBalances: LowBalance[];
  used: bigint;
  readonly recorded: Map<string, UsageEvent>;
  readonly carried: Map<MeterVersion, bigint>;
}

/** A settled account, and what a change of it posts; null: it is only settled. */
export type DecideStep = (of: CoreAccount, settled: Settlement) => readonly Settlement[];

export type CoreBooks = ReturnType<typeof openCoreBooks>;

/**
 * The books in memory: what the ledger does with the core's decisions, on maps instead of tables. It
 * reads what a transaction would read, lets the core decide, and writes.
 */
export function openCoreBooks(
  accounts: readonly HistoryAccount[],
  offer: { readonly catalogue: Catalogue; readonly rates: readonly MeterVersion[] },
) {
  const rows = new Map(accounts.map((about) => [about.id, emptyAccount(about)]));
  const rates = toRates(toRateCard(offer.rates));
  let completeUntil: number | null = null;

  function rowsOf(accountId: string): CoreAccount {
    const found = rows.get(accountId);
    if (found === undefined) throw new Error(`the books have no account ${accountId}`);
    return found;
  }

  function store(movement: Movement): void {
    for (const account of movement.accounts) {
      rowsOf(account.accountId).account = { ...account, version: account.version + 1n };
    }
    for (const { accountId, lot } of movement.movedLots) moveLot(rowsOf(accountId), lot);
    for (const { accountId, lot } of movement.granted) rowsOf(accountId).lots.push(lot);
    for (const { accountId, schedule } of movement.schedules) rowsOf(accountId).schedule = schedule;
    for (const { accountId, fee } of movement.fees) rowsOf(accountId).fees.push(fee);
    for (const entry of movement.entries) rowsOf(entry.accountId).entries.push(entry);
    for (const low of movement.lowBalances) rowsOf(low.accountId).lowBalances.push(low);
  }

  function storeUsage({ drawn, carried }: Metering<UsageEvent>): void {
    for (const { event, credits } of drawn) {
      const of = rowsOf(event.accountId);
      of.used += credits;
      of.recorded.set(identityOf(event), event);
    }
    for (const { accountId, meter, validFrom, remainder } of carried) {
      const rate = rates.list.get(meter)?.find((one) => one.validFrom === validFrom);
      if (rate === undefined) throw new Error(`no rate of ${meter} begins at ${validFrom}`);
      rowsOf(accountId).carried.set(rate, remainder);
    }
  }

  function recordedOf(events: readonly UsageEvent[]): Map<string, UsageEvent> {
    const found = new Map<string, UsageEvent>();
    for (const event of events) {
      const before = rowsOf(event.accountId).recorded.get(identityOf(event));
      if (before !== undefined) found.set(identityOf(event), before);
    }
    return found;
  }

  return {
    rows: rows as ReadonlyMap<string, CoreAccount>,

    caughtUp(at: number): void {
      completeUntil = Math.max(completeUntil ?? Number.NEGATIVE_INFINITY, at - GRACE_MS);
    },

    /** A run of the scheduler. */
    settleAll(clock: number): void {
      const upto = uptoClock(clock, completeUntil);
      for (const of of rows.values()) {
        if (of.account.settleAt === null || of.account.settleAt > clock) continue;
        const before = bookOf(of);
        store(movementOf([{ before, steps: [settle(before, offer.catalogue, upto)] }]));
      }
    },

    /** Settles an account, and does what `decide` says next, in one movement. */
    move(accountId: string, now: number, decide: DecideStep): void {
      const of = rowsOf(accountId);
      const before = bookOf(of);
      const settled = settle(before, offer.catalogue, uptoClock(now, completeUntil));
      store(movementOf([{ before, steps: [settled, ...decide(of, settled)] }]));
    },

    /** Meters a batch; how many of its events became what. */
    meter(events: readonly UsageEvent[], now: number) {
      const fit = events.filter((event) => rejectEvent(event, now, DEFAULT_WINDOW) === null);
      const of = new Map(fit.map(({ accountId }) => [accountId, rowsOf(accountId)]));
      const accountRows = new Map([...of].map(([id, { account }]) => [id, account]));
      const due = accountsDue(of.keys(), accountRows, now);
      const late = fit.filter((event) => isLate(rowsOf(event.accountId).account, event));
      const metering = meterUsage(fit, {
        ...{ now, rates, accounts: accountRows, catalogue: offer.catalogue, completeUntil },
        books: new Map(due.map((id) => [id, bookOf(rowsOf(id))])),
        expired: new Map(late.map(({ accountId }) => [accountId, expiredOf(rowsOf(accountId))])),
        carried: new Map([...of].map(([id, { carried }]) => [id, carried])),
        recorded: recordedOf(fit),
      });
      store(metering);
      storeUsage(metering);
      const deadLetters = events.length - fit.length + metering.rejected.length;
      return { metered: metering.drawn.length, repeats: metering.repeats, deadLetters };
    },
  };
}

function emptyAccount({ id, timeZone, currency, threshold }: HistoryAccount): CoreAccount {
  const account: Account = {
    ...{ accountId: toAccountId(id), version: 1n, timeZone, threshold: BigInt(threshold) },
    ...{ granted: 0n, position: 0n, lowBalance: false, crossings: 0n, waitingCrossing: null },
    ...{ entries: 0n, nextDueAt: null, settleAt: null, expiredUntil: null, spent: null },
    ...{ held: 0n, holdChanges: 0n, budgets: null, overdraft: null, alertAt: null },
  };
  const none = { lots: [], entries: [], fees: [], lowBalances: [], used: 0n };
  return {
    ...{ account, currency, schedule: EMPTY_SCHEDULE, ...none },
    ...{ recorded: new Map(), carried: new Map() },
  };
}

function bookOf({ account, lots, schedule }: CoreAccount) {
  const live = lots.filter(({ end }) => end > account.position).map(toLot);
  return { account, lots: live, schedule };
}

function moveLot({ lots }: CoreAccount, { lotId, start, end }: Lot): void {
  const at = lots.findIndex((lot) => lot.lotId === lotId);
  const lot = lots[at];
  if (lot === undefined) throw new Error(`lot ${lotId} has moved, which is none`);
  lots[at] = { ...lot, start, end };
}

/** Lots with expired credits that were not given back, by the entries. */
function expiredOf({ entries, lots }: CoreAccount): ExpiredLot[] {
  const left = new Map<string | null, bigint>();
  for (const { kind, lotId, credits } of entries) {
    if (kind !== "expiry" && (kind !== "reversal" || credits < 0n)) continue;
    left.set(lotId, (left.get(lotId) ?? 0n) - credits);
  }
  return inLineOrder(
    lots.flatMap((lot) => {
      const credits = left.get(lot.lotId) ?? 0n;
      const { expiresAt } = lot;
      return credits > 0n && expiresAt !== null
        ? [{ ...toLot(lot), expiresAt, left: credits }]
        : [];
    }),
  );
}
