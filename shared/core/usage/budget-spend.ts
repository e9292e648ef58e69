import { valueIn } from "../budgets/budget-value.ts";
import { type CountedDimension, readCounted } from "../budgets/counted.ts";
import { type BudgetWindow, type WindowSpan, windowAt } from "../budgets/window.ts";
import type { Account, AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Dimensions } from "../offer/value-tree.ts";
import type { DrawnColumns, DrawnStretch } from "./draw-columns.ts";
import type { ColumnMetering } from "./meter-columns.ts";
import { NO_DIMENSIONS } from "./usage-columns.ts";

/** A window in which an account counts a dimension. */
interface CountedWindow {
  readonly accountId: AccountId;
  readonly dimension: string;
  readonly window: BudgetWindow;
  readonly startsAt: Instant;
  /** Null: the window never ends. */
  readonly endsAt: Instant | null;
}

/** What a batch spent of an account in one window, by the value of a dimension. */
export interface WindowSpend extends CountedWindow {
  readonly byValue: ReadonlyMap<string, MicroCredits>;
}

/** What a batch spent of an account with one value of a dimension, in one window. */
export interface BudgetSpend extends CountedWindow {
  readonly value: string;
  readonly credits: MicroCredits;
}

/** The spends of each value. */
export function spendsByValue(spends: readonly WindowSpend[]): BudgetSpend[] {
  return spends.flatMap(({ byValue, ...window }) =>
    Array.from(byValue, ([value, credits]) => ({ ...window, value, credits })),
  );
}

/** Usage of an account with the same dimensions that occurred in the same window. */
interface Used {
  readonly dimensions: Dimensions;
  readonly occurredAt: Instant;
  readonly credits: MicroCredits;
}

/** What an account counts, and by which calendar. */
type Counted = CountedDimension & Pick<Account, "timeZone">;

/**
 * What a batch adds to the spend that budgets limit: the price of usage in the window in which it occurred, whatever
 * pays for it. Accounts without budgets are passed over.
 */
export function budgetSpends({
  drawn,
  columns,
  accounts,
}: Pick<ColumnMetering, "drawn" | "columns" | "accounts">): WindowSpend[] {
  const spends: WindowSpend[] = [];
  const counts = countsReader();
  for (const stretch of columns?.stretches ?? []) {
    const { account } = stretch;
    if (columns === null || account.budgets === null) continue;
    for (const counted of counts(account)) {
      addSpends(spends, account, counted, usedInColumns(columns, stretch, counted));
    }
  }
  const limited = drawn.length === 0 ? [] : accounts.filter(({ budgets }) => budgets !== null);
  if (limited.length === 0) return spends;
  const byAccount = Map.groupBy(drawn, ({ event }) => event.accountId);
  for (const account of limited) {
    const used = (byAccount.get(account.accountId) ?? []).map(({ event, credits }): Used => {
      return { dimensions: event.dimensions, occurredAt: event.occurredAt, credits };
    });
    for (const counted of counts(account)) addSpends(spends, account, counted, used);
  }
  return spends;
}

/** Accounts of a batch mostly count the same. */
function countsReader(): (account: Account) => readonly Counted[] {
  const known = new Map<string, readonly Counted[]>();
  return ({ budgets, timeZone }) => {
    const key = `${timeZone} ${budgets}`;
    let counts = known.get(key);
    if (counts === undefined) {
      counts = readCounted(budgets).map((counted) => ({ ...counted, timeZone }));
      known.set(key, counts);
    }
    return counts;
  };
}

function addSpends(
  spends: WindowSpend[],
  { accountId }: Account,
  { dimension, window, from, timeZone }: Counted,
  used: readonly Used[],
): void {
  // A batch has one window, or two at a turn.
  const windows = new Map<Instant, Map<string, MicroCredits>>();
  for (const { dimensions, occurredAt, credits } of used) {
    const value = valueIn(dimensions, dimension);
    if (value === "" || occurredAt < from) continue;
    const { start: startsAt, end: endsAt } = windowAt(window, occurredAt, timeZone);
    let byValue = windows.get(startsAt);
    if (byValue === undefined) {
      byValue = new Map();
      windows.set(startsAt, byValue);
      spends.push({ accountId, dimension, window, startsAt, endsAt, byValue });
    }
    byValue.set(value, (byValue.get(value) ?? 0n) + credits);
  }
}

/** A sum of what has the same dimensions, in doubles: it is a part of what fits into them. */
interface Sum {
  readonly occurredAt: Instant;
  credits: number;
}

/** In columns, dimensions have numbers: what has the same number and window is summed first. */
function usedInColumns(
  { columns, order, credits }: DrawnColumns,
  { from, to }: DrawnStretch,
  counted: Counted,
): Used[] {
  const windows = new Map<Instant, Map<number, Sum>>();
  let span: WindowSpan | null = null;
  let sums = new Map<number, Sum>();
  for (let index = from; index < to; index += 1) {
    const place = order[index] ?? 0;
    const occurredAt = columns.occurredAt[place] ?? 0;
    if (occurredAt < counted.from) continue;
    if (span === null || !isIn(span, occurredAt)) {
      span = windowAt(counted.window, occurredAt, counted.timeZone);
      sums = windows.get(span.start) ?? new Map<number, Sum>();
      windows.set(span.start, sums);
    }
    const number = columns.dimensions[place] ?? NO_DIMENSIONS;
    const sum = sums.get(number);
    if (sum === undefined) sums.set(number, { occurredAt, credits: credits[index] ?? 0 });
    else sum.credits += credits[index] ?? 0;
  }
  const { dimensions } = columns.names;
  return [...windows.values()].flatMap((ofWindow) =>
    Array.from(ofWindow, ([number, { occurredAt, credits: sum }]): Used => {
      return { dimensions: dimensions.valueOf(number), occurredAt, credits: BigInt(sum) };
    }),
  );
}

function isIn({ start, end }: WindowSpan, instant: Instant): boolean {
  return start <= instant && (end === null || instant < end);
}
