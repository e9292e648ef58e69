import type { FireAccount } from "../load/accounts.ts";
import type { BookedEntry, BookedLot, Books } from "./books.ts";
import type { Calendar } from "./calendar.ts";
import { type Due, dueOn, type Lot } from "./due.ts";
import { type ExpectedUsage, identityOf } from "./expected-usage.ts";
import { type GatewayPayment, hasPaid, isFee } from "./gateway.ts";
import { CREDITS_A_CENT, priceOf } from "./prices.ts";

/** What the rules make of an account, in micro-credits. */
export interface Model {
  readonly account: FireAccount;
  readonly due: Due;
  readonly balance: bigint;
  /** Of every lot, oldest first. */
  readonly rests: readonly Rest[];
  /** Of each lot that has ended, as it ended; those of which nothing was left are not among them. */
  readonly ended: readonly Ending[];
}

/** What is left of a lot. */
export interface Rest {
  readonly id: string;
  left: bigint;
}

interface Ending extends Rest {
  /** Milliseconds. */
  readonly endsAt: number;
}

/**
 * How long usage may be metered before its time: the load's skewed times are up to a minute ahead, and a
 * fault has a clock 90 s behind.
 */
const MOST_EARLY_MS = 150_000;

export interface ModelledFrom {
  readonly books: Books;
  readonly expected: ExpectedUsage;
  readonly accounts: readonly FireAccount[];
  readonly payments: readonly GatewayPayment[];
  readonly calendar: Calendar;
}

/**
 * Each account as a pile of lots, without a line: what came in, in order, what ended, and what usage and
 * add-ons take from the oldest. Of the books it believes when a plan began, and where an expiry stands
 * among the usage.
 */
export function modelsOf({ books, expected, ...from }: ModelledFrom): Model[] {
  const { accounts, payments, calendar } = from;
  const used = usageByAccount(books, expected);
  const lots = Map.groupBy(books.lots, ({ account_id }) => account_id);
  const entries = Map.groupBy(books.entries, ({ account_id }) => account_id);
  return accounts.map((account) => {
    const { id } = account;
    return modelOf(account, {
      payments: payments.filter(({ account_id }) => account_id === id),
      used: used.get(id) ?? [],
      subscribedAt: subscribedAt(lots.get(id) ?? [], calendar),
      endedAt: calendar.endedAt,
      expiries: (entries.get(id) ?? []).filter(({ kind }) => kind === "expiry"),
    });
  });
}

/** To the millisecond; where the books say nonsense, when the accounts were opened. */
function subscribedAt(lots: readonly BookedLot[], { opened: [from, to] }: Calendar): number {
  const first = Number(lots.find(({ lot_id }) => lot_id === "plan:1:0")?.granted_at);
  return first >= from && first <= to ? first : from;
}

/** Usage of an account, all that is known of it in one place. */
interface Used {
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: number;
  /** Where on the line the books have it. */
  readonly position: bigint;
}

function usageByAccount({ usage }: Books, { events }: ExpectedUsage): Map<string, Used[]> {
  const positions = new Map(usage.map((record) => [identityOf(record), record.start_position]));
  const byAccount = new Map<string, Used[]>();
  for (const [identity, [message]] of events) {
    if (message === undefined) continue;
    const { account_id, meter, quantity, occurred_at } = message.usage;
    const position = positions.get(identity) ?? 0n;
    const known = byAccount.get(account_id) ?? [];
    known.push({ meter, quantity, occurredAt: Number(occurred_at), position });
    byAccount.set(account_id, known);
  }
  return byAccount;
}

interface Happened {
  readonly payments: readonly GatewayPayment[];
  readonly used: readonly Used[];
  readonly subscribedAt: number;
  readonly endedAt: number;
  readonly expiries: readonly BookedEntry[];
}

/**
 * Goes from one end of lots to the next: what came until then, then what was used until then, then the end.
 * Within such a stretch the order does not matter, since all of it takes from the oldest.
 */
function modelOf(account: FireAccount, happened: Happened): Model {
  const { used, endedAt, expiries } = happened;
  const due = dueOn(account, happened.subscribedAt, endedAt);
  const lots = [...grantsOf(account), ...due.lots, ...boughtOf(happened.payments)];
  const ends = [...new Set(lots.map(({ endsAt }) => endsAt))].filter((end) => end <= endedAt);
  const stretches = [...ends.toSorted((one, other) => one - other), Number.POSITIVE_INFINITY];
  const pile: Ending[] = [];
  const ended: Ending[] = [];
  const quantities = new Map<string, bigint>();
  let debt = 0n;
  let from = Number.NEGATIVE_INFINITY;
  for (const to of stretches) {
    const within = (at: number) => at >= from && at < to;
    for (const { id, credits, at, endsAt } of lots) {
      if (within(at)) pile.push({ id, left: credits, endsAt });
    }
    const usage = used.filter((one) => within(paidAt(one, expiries)));
    const charged = due.charges.filter(({ at }) => within(at));
    const spent = priceOfMore(quantities, usage) + sum(charged.map(({ credits }) => credits));
    debt = takeOldest(pile, debt + spent);
    if (to <= endedAt) ended.push(...endOf(pile, to));
    from = to;
  }
  const balance = sum(pile.map(({ left }) => left)) - debt;
  return { account, due, balance, rests: pile, ended };
}

/**
 * When usage counts as having come. What occurred after an end, and was metered while the clock of metering
 * was not there yet, is paid like what came before: a fast clock elsewhere costs nobody a credit.
 */
function paidAt({ occurredAt, position }: Used, expiries: readonly BookedEntry[]): number {
  const open = expiries
    .filter((expiry) => position < expiry.position)
    .map(({ due_at }) => Number(due_at))
    .filter((endedAt) => occurredAt <= endedAt + MOST_EARLY_MS);
  return Math.min(occurredAt, ...open.map((endedAt) => endedAt - 1));
}

/** What usage costs beyond what was used before: parts of a micro-credit are carried along. */
function priceOfMore(quantities: Map<string, bigint>, used: readonly Used[]): bigint {
  let price = 0n;
  for (const [meter, usage] of Map.groupBy(used, (one) => one.meter)) {
    const before = quantities.get(meter) ?? 0n;
    const after = before + sum(usage.map(({ quantity }) => quantity));
    price += priceOf(meter, after) - priceOf(meter, before);
    quantities.set(meter, after);
  }
  return price;
}

/** Takes what is left of the lots that end then, and returns it. */
function endOf(pile: readonly Ending[], at: number): Ending[] {
  const ending = pile.filter(({ endsAt, left }) => endsAt === at && left > 0n);
  const ended = ending.map((lot) => ({ ...lot }));
  for (const lot of ending) lot.left = 0n;
  return ended;
}

/** Takes what is spent; returns what nobody pays yet. */
function takeOldest(pile: readonly { left: bigint }[], spent: bigint): bigint {
  let owed = spent;
  for (const lot of pile) {
    const taken = owed < lot.left ? owed : lot.left;
    lot.left -= taken;
    owed -= taken;
  }
  return owed;
}

/** Given before anything else, in this order. */
function grantsOf({ grants }: FireAccount): Lot[] {
  return grants.map((credits, index) => ({
    id: `granted-${index}`,
    credits: BigInt(credits) * 1_000_000n,
    ...{ at: Number.NEGATIVE_INFINITY, endsAt: Number.POSITIVE_INFINITY },
  }));
}

/** What an account bought, by the gateway's own list. */
function boughtOf(payments: readonly GatewayPayment[]): Lot[] {
  return payments
    .filter((payment) => hasPaid(payment) && !isFee(payment))
    .map(({ payment_id, amount, created_at }) => ({
      id: `top-up:${payment_id}`,
      credits: BigInt(amount) * CREDITS_A_CENT,
      ...{ at: Date.parse(created_at), endsAt: Number.POSITIVE_INFINITY },
    }));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
