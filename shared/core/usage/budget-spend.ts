import { type CountedDimension, readCounted } from "../budgets/counted.ts";
import { valueIn } from "../budgets/limit.ts";
import { type BudgetWindow, windowAt } from "../budgets/window.ts";
import type { Account, AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Dimensions } from "../offer/value-tree.ts";
import type { DrawnColumns, DrawnStretch } from "./draw-columns.ts";
import type { ColumnMetering } from "./meter-columns.ts";
import { NO_DIMENSIONS } from "./usage-columns.ts";

/** What a batch spent of an account with one value of a dimension, in one window. */
export interface BudgetSpend {
  readonly accountId: AccountId;
  readonly dimension: string;
  readonly window: BudgetWindow;
  readonly value: string;
  readonly startsAt: Instant;
  /** Null: the window never ends. */
  readonly endsAt: Instant | null;
  credits: MicroCredits;
}

/** Usage of an account with the same dimensions that occurred in the same window. */
interface Used {
  readonly dimensions: Dimensions;
  readonly occurredAt: Instant;
  readonly credits: MicroCredits;
}

/**
 * What a batch adds to the spend that budgets limit: the price of usage in the window in which it occurred, whatever
 * pays for it. Accounts without budgets are passed over.
 */
export function budgetSpends({
  drawn,
  columns,
  accounts,
}: Pick<ColumnMetering, "drawn" | "columns" | "accounts">): BudgetSpend[] {
  const spends: BudgetSpend[] = [];
  for (const stretch of columns?.stretches ?? []) {
    if (columns === null || stretch.account.budgets === null) continue;
    spends.push(
      ...spendsOf(stretch.account, (counted) => usedInColumns(columns, stretch, counted)),
    );
  }
  const limited = drawn.length === 0 ? [] : accounts.filter(({ budgets }) => budgets !== null);
  if (limited.length === 0) return spends;
  const byAccount = Map.groupBy(drawn, ({ event }) => event.accountId);
  for (const account of limited) {
    const used = (byAccount.get(account.accountId) ?? []).map(({ event, credits }): Used => {
      return { dimensions: event.dimensions, occurredAt: event.occurredAt, credits };
    });
    spends.push(...spendsOf(account, () => used));
  }
  return spends;
}

function spendsOf(
  { accountId, budgets, timeZone }: Account,
  usedOf: (counted: CountedDimension & Pick<Account, "timeZone">) => Iterable<Used>,
): BudgetSpend[] {
  return readCounted(budgets).flatMap((counted) => {
    const { dimension, window, from } = counted;
    const spends = new Map<string, BudgetSpend>();
    for (const { dimensions, occurredAt, credits } of usedOf({ ...counted, timeZone })) {
      const value = valueIn(dimensions, dimension);
      if (value === "" || occurredAt < from) continue;
      const { start: startsAt, end: endsAt } = windowAt(window, occurredAt, timeZone);
      const key = `${startsAt} ${value}`;
      const spend = spends.get(key);
      if (spend !== undefined) spend.credits += credits;
      else spends.set(key, { accountId, dimension, window, value, startsAt, endsAt, credits });
    }
    return [...spends.values()].sort(byKey);
  });
}

/** In the order of the index of what was spent, in which rows of a dimension and window lie together. */
function byKey(a: BudgetSpend, b: BudgetSpend): number {
  if (a.startsAt !== b.startsAt) return a.startsAt - b.startsAt;
  return a.value < b.value ? -1 : 1;
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
  counted: CountedDimension & Pick<Account, "timeZone">,
): Used[] {
  // A batch has one window, or two at a turn.
  const windows = new Map<Instant, Map<number, Sum>>();
  for (let index = from; index < to; index += 1) {
    const place = order[index] ?? 0;
    const occurredAt = columns.occurredAt[place] ?? 0;
    if (occurredAt < counted.from) continue;
    const { start } = windowAt(counted.window, occurredAt, counted.timeZone);
    const sums = windows.get(start) ?? new Map<number, Sum>();
    windows.set(start, sums);
    const number = columns.dimensions[place] ?? NO_DIMENSIONS;
    const sum = sums.get(number) ?? { occurredAt, credits: 0 };
    sums.set(number, sum);
    sum.credits += credits[index] ?? 0;
  }
  const { dimensions } = columns.names;
  return [...windows.values()].flatMap((sums) =>
    Array.from(sums, ([number, { occurredAt, credits: sum }]): Used => {
      return { dimensions: dimensions.valueOf(number), occurredAt, credits: BigInt(sum) };
    }),
  );
}
