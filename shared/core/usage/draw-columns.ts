import type { Account } from "../line/account.ts";
import { balanceOf, type MicroCredits } from "../line/credit-line.ts";
import { waitsForNeed } from "../line/low-balance.ts";
import { isLate } from "../month/late-usage.ts";
import { hourOf } from "../offer/months.ts";
import type { AccountVersion } from "../offer/rate-card.ts";
import { priceInDoubles, remainderInDoubles } from "../offer/rate-in-doubles.ts";
import { cardOf } from "../offer/rates.ts";
import { type Carried, type CarriedByVersion, changesOfCarried } from "./carried.ts";
import { type Judged, judgeRepeat, type PossibleRepeats } from "./column-repeats.ts";
import type { BatchContext } from "./events-in-batch.ts";
import type { AccountGroups } from "./group-columns.ts";
import { type NumberedRates, numberedRates } from "./numbered-rates.ts";
import { addSpent } from "./open-spend.ts";
import type { Spend } from "./spend.ts";
import { NO_DIMENSIONS, type UsageColumns } from "./usage-columns.ts";

/** What one account drew: `order[from]` to `order[to]`, each where the one before ended. */
export interface DrawnStretch {
  /** As it was before. */
  readonly account: Account;
  readonly from: number;
  readonly to: number;
  /** Positions below 2^53. */
  readonly start: number;
  readonly end: number;
}

/** Events of accounts that did nothing but draw. */
export interface DrawnColumns {
  readonly columns: UsageColumns;
  /** Places, each account's together. Those of repeats and of other accounts are in between. */
  readonly order: Int32Array;
  /** What the line at each index of `order` cost, in micro-credits below 2^53. */
  readonly credits: Float64Array;
  readonly stretches: readonly DrawnStretch[];
  /** The number of events in all stretches. Each has a place for each of its lines. */
  readonly events: number;
}

/** What columns are drawn with. */
export interface ColumnContext extends BatchContext {
  /** The place of each event in `recorded` that could be drawn. */
  readonly mayRepeat: PossibleRepeats;
  /** False: nothing is posted on the account before it has drawn up to `position`. */
  mayPost(account: Account, position: MicroCredits): boolean;
}

/** Usage of a meter in an hour, in numbers that doubles hold. */
interface SpendInDoubles {
  readonly hour: number;
  readonly meter: number;
  events: number;
  quantity: number;
  credits: number;
}

/**
 * Draws the events of accounts to which nothing else happens: nothing is posted, no event is late or a
 * conflict, the balance stays above the threshold, and doubles hold all numbers. Repeats are dropped. What such
 * an account draws is what `meterEvents` draws of it.
 */
export class ColumnDrawing {
  readonly stretches: DrawnStretch[] = [];
  readonly accounts: Account[] = [];
  readonly spends: Spend[] = [];
  readonly carried: Carried[] = [];
  events = 0;
  /** The number of events that were dropped. */
  repeats = 0;
  readonly #groups: AccountGroups;
  readonly #context: ColumnContext;
  /** Of an account that is drawn, without its repeats. */
  readonly #order: Int32Array;
  readonly #credits: Float64Array;
  /** Of the list. */
  readonly #list: NumberedRates;
  /** Of the account that is drawn. */
  #rates: NumberedRates;
  #spends: SpendInDoubles[] = [];
  #remainders = new Map<AccountVersion, number>();

  constructor(groups: AccountGroups, context: ColumnContext) {
    this.#groups = groups;
    this.#context = context;
    this.#list = numberedRates(context.rates.list, groups.columns.names);
    this.#rates = this.#list;
    this.#order = groups.order.slice();
    this.#credits = new Float64Array(groups.order.length);
  }

  get drawn(): DrawnColumns {
    const { columns } = this.#groups;
    const { stretches, events } = this;
    return { columns, order: this.#order, credits: this.#credits, stretches, events };
  }

  /** Draws an account's events, from `from` to `end` in the order; false: more may happen, and none is drawn. */
  draw(accountId: string, from: number, end: number): boolean {
    const { accounts } = this.#context;
    const account = accounts.get(accountId);
    if (account === undefined || this.#context.mayPost(account, account.position)) return false;
    const kept = this.#dropRepeats(from, end);
    if (kept === null || !this.#drawFirsts(account, from, kept.to)) return false;
    this.repeats += kept.repeats;
    return true;
  }

  /** Brings an account's events that are no repeats forward; null: one is a conflict. */
  #dropRepeats(
    from: number,
    end: number,
  ): { readonly to: number; readonly repeats: number } | null {
    if (this.#context.mayRepeat.size === 0) return { to: end, repeats: 0 };
    const { columns } = this.#groups;
    let to = from;
    let repeats = 0;
    let judged: Judged = "first";
    for (let index = from; index < end; index += 1) {
      const place = this.#order[index] ?? 0;
      // The lines of an event go with it.
      if (columns.goesOn[place] !== 1) {
        judged = this.#judge(place);
        if (judged === "repeat") repeats += 1;
      }
      if (judged === "other") return null;
      if (judged === "first") this.#order[to++] = place;
    }
    return { to, repeats };
  }

  #judge(place: number): Judged {
    const { mayRepeat, recorded } = this.#context;
    const first = mayRepeat.get(place);
    if (first === undefined) return "first";
    return judgeRepeat(this.#groups.columns, place, first, recorded);
  }

  /** Draws events that come for the first time; false: more may happen. */
  #drawFirsts(account: Account, from: number, to: number): boolean {
    if (from === to) return true;
    // From one that doubles do not hold, no sum is a safe integer either.
    const start = Number(account.position);
    const carried = this.#context.carried.get(account.accountId);
    this.#rates = this.#ratesOf(account.accountId);
    this.#spends = [];
    if (this.#remainders.size > 0) this.#remainders = new Map();
    let end = start;
    let events = 0;
    for (let index = from; index < to; index += 1) {
      end += this.#drawOne(index, account, carried);
      if (this.#groups.columns.goesOn[this.#order[index] ?? 0] !== 1) events += 1;
    }
    if (!Number.isSafeInteger(end)) return false;
    const position = BigInt(end);
    if (this.#context.mayPost(account, position)) return false;
    const { granted, threshold } = account;
    if (mayCross(account) && balanceOf({ granted, position }) <= threshold) return false;
    this.#add({ account, from, to, start, end }, position, carried);
    this.events += events;
    return true;
  }

  #ratesOf(accountId: string): NumberedRates {
    const { rates } = this.#context;
    if (!rates.own.has(accountId)) return this.#list;
    return numberedRates(cardOf(rates, accountId), this.#groups.columns.names);
  }

  /** What a line of an event draws; NaN: more than that may happen. */
  #drawOne(index: number, account: Account, carried: CarriedByVersion | undefined): number {
    const { columns } = this.#groups;
    const place = this.#order[index] ?? 0;
    if (columns.plain.has(place)) return Number.NaN;
    const occurredAt = columns.occurredAt[place] ?? 0;
    const meter = columns.meter[place] ?? 0;
    const quantity = columns.quantity[place] ?? 0;
    const dimensions = columns.dimensions[place] ?? NO_DIMENSIONS;
    const name = columns.names.meters.valueOf(meter);
    const rate = this.#rates.at(name, occurredAt, dimensions, quantity);
    if (rate === null || isLate(account, { occurredAt })) return Number.NaN;
    const remainder = rate.carries ? this.#remainderOf(rate.version, carried) : 0;
    const credits = priceInDoubles(rate, quantity, remainder);
    if (rate.carries) {
      this.#remainders.set(rate.version, remainderInDoubles(rate, quantity, remainder));
    }
    this.#credits[index] = credits;
    const spend = this.#spendOf(hourOf(occurredAt, account.timeZone), meter);
    spend.events += 1;
    spend.quantity += quantity;
    spend.credits += credits;
    return Number.isSafeInteger(spend.quantity) ? credits : Number.NaN;
  }

  #remainderOf(version: AccountVersion, carried: CarriedByVersion | undefined): number {
    return this.#remainders.get(version) ?? Number(carried?.get(version) ?? 0n);
  }

  /** A batch has few hours and meters of an account, so a scan is fast. */
  #spendOf(hour: number, meter: number): SpendInDoubles {
    for (const spend of this.#spends) {
      if (spend.hour === hour && spend.meter === meter) return spend;
    }
    const spend = { hour, meter, events: 0, quantity: 0, credits: 0 };
    this.#spends.push(spend);
    return spend;
  }

  #add(stretch: DrawnStretch, position: MicroCredits, carried: CarriedByVersion | undefined): void {
    const { accountId } = stretch.account;
    const { meters } = this.#groups.columns.names;
    const spends = this.#spends.map(({ hour, meter, events, quantity, credits }): Spend => {
      const amounts = { events, quantity: BigInt(quantity), credits: BigInt(credits) };
      return { accountId, hour, meter: meters.valueOf(meter), ...amounts };
    });
    const { spent, closed } = addSpent(stretch.account, spends);
    this.accounts.push({ ...stretch.account, position, spent });
    this.spends.push(...closed);
    this.stretches.push(stretch);
    if (this.#remainders.size === 0) return;
    const entries = this.#remainders
      .entries()
      .map(([version, left]) => [version, BigInt(left)] as const);
    const changes = { before: carried ?? NOTHING_CARRIED, after: new Map(entries) };
    this.carried.push(...changesOfCarried(accountId, changes).carried);
  }
}

const NOTHING_CARRIED: CarriedByVersion = new Map();

/** True if a balance at or below the threshold would be published. */
function mayCross(account: Account): boolean {
  return !account.lowBalance || waitsForNeed(account);
}
