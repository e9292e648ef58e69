import type { FireAccount } from "../load/accounts.ts";
import type { BookedEntry, BookedLot, Books } from "./books.ts";
import type { Calendar } from "./calendar.ts";
import { dueOn, type Lot } from "./due.ts";
import { type ExpectedUsage, identityOf } from "./expected-usage.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { GatewayPayment } from "./gateway.ts";
import { CREDITS_A_CENT, priceOf } from "./prices.ts";

/** What is left of a lot. */
interface Remainder {
  readonly id: string;
  readonly left: bigint;
}

/** Usage of an account, all that is known of it in one place. */
interface Used {
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: number;
  /** Where on the line the books have it. */
  readonly position: bigint;
}

/**
 * An account as a pile of lots, without a line: what came in, in order, what ended, and what usage and
 * add-ons take from the oldest. The books must come to the same balance, and to the same rest of every lot.
 */
export function checkAccounts(
  books: Books,
  expected: ExpectedUsage,
  accounts: readonly FireAccount[],
  payments: readonly GatewayPayment[],
  calendar: Calendar,
): Checked {
  const findings = openFindings("balance and lots of each account are those of the model");
  const used = usageByAccount(books, expected);
  const lots = Map.groupBy(books.lots, ({ account_id }) => account_id);
  const entries = Map.groupBy(books.entries, ({ account_id }) => account_id);
  const byId = new Map(books.accounts.map((account) => [account.account_id, account]));
  for (const account of accounts) {
    const { id } = account;
    const booked = byId.get(id);
    if (booked === undefined) {
      findings.add(`${id} is not in the books`);
      continue;
    }
    const line = lots.get(id) ?? [];
    const model = pileOf(account, {
      payments: payments.filter(({ account_id }) => account_id === id),
      used: used.get(id) ?? [],
      subscribedAt: subscribedAt(line, calendar),
      endedAt: calendar.endedAt,
      expiries: (entries.get(id) ?? []).filter(({ kind }) => kind === "expiry"),
    });
    if (booked.granted - booked.position !== model.balance) {
      findings.add(
        `${id} has ${booked.granted - booked.position} micro-credits, not ${model.balance}`,
      );
    }
    const rests = line.map((lot) => ({
      id: lot.lot_id,
      left: atLeastZero(lot.end_position - larger(lot.start_position, booked.position)),
    }));
    if (shown(rests) !== shown(model.rests)) {
      findings.add(`${id} has lots ${shown(rests)}, not ${shown(model.rests)}`);
    }
  }
  return findings.done(accounts.length);
}

/** When an account's plan began, to the millisecond; where the books say nonsense, when it was opened. */
export function subscribedAt(lots: readonly BookedLot[], { opened: [from, to] }: Calendar): number {
  const first = Number(lots.find(({ lot_id }) => lot_id === "plan:1:0")?.granted_at);
  return first >= from && first <= to ? first : from;
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
  /** Those in the books, of which only the place among the usage is believed. */
  readonly expiries: readonly BookedEntry[];
}

/**
 * Goes from one end of lots to the next: what came until then, then what was used until then, then the end.
 * Within such a stretch the order does not matter, since all of it takes from the oldest.
 */
function pileOf(account: FireAccount, happened: Happened): { balance: bigint; rests: Remainder[] } {
  const { used, endedAt, expiries } = happened;
  const due = dueOn(account, happened.subscribedAt, endedAt);
  const lots = [...grantsOf(account), ...due.lots, ...boughtOf(happened.payments)];
  const ends = [...new Set(lots.map(({ endsAt }) => endsAt))].filter((end) => end <= endedAt);
  const stretches = [...ends.toSorted((one, other) => one - other), Number.POSITIVE_INFINITY];
  const pile: { id: string; left: bigint; endsAt: number }[] = [];
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
    for (const lot of pile) if (lot.endsAt <= Math.min(to, endedAt)) lot.left = 0n;
    from = to;
  }
  return { balance: sum(pile.map(({ left }) => left)) - debt, rests: pile };
}

/**
 * When usage counts as having come. What occurred after an end, and was metered while the clock of metering
 * was not there yet, is paid like what came before: a fast clock elsewhere costs nobody a credit.
 */
function paidAt({ occurredAt, position }: Used, expiries: readonly BookedEntry[]): number {
  const open = expiries
    .filter((expiry) => position < expiry.position)
    .map(({ due_at }) => Number(due_at) - 1);
  return Math.min(occurredAt, ...open);
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
    .filter(({ payment_id, status }) => status === "succeeded" && !payment_id.startsWith("fee:"))
    .map(({ payment_id, amount, created_at }) => ({
      id: `top-up:${payment_id}`,
      credits: BigInt(amount) * CREDITS_A_CENT,
      ...{ at: Date.parse(created_at), endsAt: Number.POSITIVE_INFINITY },
    }));
}

function shown(lots: readonly Remainder[]): string {
  return lots.map(({ id, left }) => `${id}=${left}`).join(" ");
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
