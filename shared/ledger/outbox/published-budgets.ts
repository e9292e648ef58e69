import { MOST_VALUE_LENGTH } from "../../core/budgets/budget-value.ts";
import { readCounted } from "../../core/budgets/counted.ts";
import { type BudgetWindow, windowAt } from "../../core/budgets/window.ts";
import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** The most values of a dimension and window that are published: beyond, none are. */
export const MOST_PUBLISHED = 50;

/** What has too many values is not counted again so soon. */
const COUNT_AGAIN_MS = 60_000;
/** Some 10 MB at most; beyond, all are counted again. */
const MOST_REMEMBERED = 100_000;

/** When to count again what had too many values, by account, dimension and window. Whoever publishes keeps it. */
export type TooMany = Map<string, Instant>;

/** The budgets of an account's values of a dimension in a window, as they are published with its balance. */
export interface PublishedBudgets {
  readonly dimension: string;
  readonly window: BudgetWindow;
  /** When the window turns, and when the one after it does; null: never. */
  readonly endsAt: Instant | null;
  readonly nextEndsAt: Instant | null;
  /** Of every value that has none of its own. Null: there is none, or `values` is null. */
  readonly credits: MicroCredits | null;
  /** Those that have a budget of their own, or have spent or hold some of that of every value. Null: too many. */
  readonly values: readonly PublishedBudget[] | null;
}

interface PublishedBudget {
  readonly value: string;
  readonly credits: MicroCredits;
  readonly spent: MicroCredits;
  /** In the window after it: events may be ahead of the clock. */
  readonly spentAhead: MicroCredits;
  readonly held: MicroCredits;
}

// Most of what has too many values has as many budgets: they are told by reading no more than that.
const WITHIN = `
  SELECT number::integer
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (account_id, dimension, window_name, number)
  WHERE NOT EXISTS (
    SELECT FROM budget
    WHERE budget.account_id = asked.account_id AND budget.dimension = asked.dimension
      AND budget.window_name = asked.window_name AND value <> ''
    OFFSET ${MOST_PUBLISHED})`;

// Reads a bounded number of budgets and spends of an account, however many it has: each part of the names ends once
// there are more than are published. Two windows may have the same values. What values have spent is looked for only
// where every value has a budget, which is why these parts begin with that.
const READ = `
  SELECT number::integer, usual.credits AS usual, coalesce(cardinality(names) > ${MOST_PUBLISHED}, false) AS "areTooMany",
         named.value, coalesce(own.credits, usual.credits) AS credits, coalesce(spend.now, 0)::bigint AS spent,
         coalesce(spend.ahead, 0)::bigint AS "spentAhead", coalesce((held ->> named.value)::bigint, 0) AS held
  FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[])
    WITH ORDINALITY AS asked (account_id, dimension, window_name, start, ends, number)
  LEFT JOIN budget AS usual
    ON usual.account_id = asked.account_id AND usual.dimension = asked.dimension
    AND usual.window_name = asked.window_name AND usual.value = ''
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(value, held) AS held
    FROM (
      SELECT hold.dimensions ->> asked.dimension AS value,
             sum(greatest(coalesce(captured, hold.credits) - used, 0)) AS held
      FROM hold
      WHERE hold.account_id = asked.account_id AND ended_at IS NULL AND expires_at > to_timestamp($6::float8 / 1000)
        AND length(hold.dimensions ->> asked.dimension) BETWEEN 1 AND ${MOST_VALUE_LENGTH}
      GROUP BY 1
    ) AS of_value
  ) AS open ON true
  CROSS JOIN LATERAL (
    SELECT array_agg(value) AS names
    FROM (
      (SELECT value
       FROM budget
       WHERE budget.account_id = asked.account_id AND budget.dimension = asked.dimension
         AND budget.window_name = asked.window_name AND value <> ''
       LIMIT ${MOST_PUBLISHED} + 1)
      UNION
      (SELECT summed.value
       FROM (SELECT WHERE usual.value IS NOT NULL) AS of_every
       CROSS JOIN LATERAL (
         SELECT value
         FROM budget_spend AS spend
         WHERE spend.account_id = asked.account_id
           AND spend.dimension = asked.dimension AND spend.window_name = asked.window_name
           AND starts_at IN (to_timestamp(start / 1000), to_timestamp(ends / 1000))
         LIMIT 2 * (${MOST_PUBLISHED} + 1)) AS summed)
      UNION
      (SELECT noted.value
       FROM (SELECT WHERE usual.value IS NOT NULL) AS of_every
       CROSS JOIN LATERAL (
         SELECT DISTINCT listed.value
         FROM budget_added AS added
         CROSS JOIN LATERAL unnest(named) AS listed (value)
         WHERE added.account_id = asked.account_id
           AND added.dimension = asked.dimension AND added.window_name = asked.window_name
           AND starts_at IN (to_timestamp(start / 1000), to_timestamp(ends / 1000))
         LIMIT ${MOST_PUBLISHED} + 1) AS noted)
      UNION
      (SELECT jsonb_object_keys(held) WHERE usual.value IS NOT NULL)
    ) AS limited
  ) AS limited
  LEFT JOIN LATERAL unnest(names) AS named (value) ON cardinality(names) <= ${MOST_PUBLISHED}
  LEFT JOIN budget AS own
    ON own.account_id = asked.account_id AND own.dimension = asked.dimension
    AND own.window_name = asked.window_name AND own.value = named.value
  CROSS JOIN LATERAL (
    SELECT sum(part.spent) FILTER (WHERE starts_at = to_timestamp(start / 1000)) AS now,
           sum(part.spent) FILTER (WHERE starts_at = to_timestamp(ends / 1000)) AS ahead
    FROM budget_spent AS part
    WHERE part.account_id = asked.account_id AND part.dimension = asked.dimension
      AND part.window_name = asked.window_name AND part.value = named.value
      AND starts_at IN (to_timestamp(start / 1000), to_timestamp(ends / 1000))
  ) AS spend`;

interface Numbered {
  readonly number: number;
}

/** One for each value, or one of what has none to publish. */
interface Row extends Numbered, Omit<PublishedBudget, "value"> {
  readonly usual: MicroCredits | null;
  readonly areTooMany: boolean;
  readonly value: string | null;
}

/**
 * What is published of the budgets of accounts, by account. Reads nothing for accounts without budgets. What had too
 * many values stays so for a minute: counting them reads some 150 rows for one balance.
 */
export async function readPublishedBudgets(
  transaction: Transaction,
  accounts: readonly Pick<Account, "accountId" | "timeZone" | "budgets">[],
  now: Instant,
  tooMany: TooMany,
): Promise<Map<AccountId, PublishedBudgets[]>> {
  const spanOf = spansAt(now);
  const all = accounts.flatMap((account) => askedOf(account, spanOf));
  const asked = all.filter((one) => (tooMany.get(keyOf(one)) ?? now) <= now);
  const found = await readLimitsOf(transaction, asked, now);
  if (tooMany.size + asked.length > MOST_REMEMBERED) tooMany.clear();
  for (const [one, { values }] of found) {
    if (values === null) tooMany.set(keyOf(one), now + COUNT_AGAIN_MS);
    else tooMany.delete(keyOf(one));
  }
  const budgets = all.map((one) => {
    const { accountId, dimension, window, end: endsAt, nextEnd: nextEndsAt } = one;
    const limits = found.get(one) ?? UNKNOWN;
    return { accountId, dimension, window, endsAt, nextEndsAt, ...limits };
  });
  return Map.groupBy(budgets, ({ accountId }) => accountId);
}

/** A dimension of an account in its window of now. */
interface Asked extends Span {
  readonly accountId: AccountId;
  readonly dimension: string;
  readonly window: BudgetWindow;
}

interface Span {
  readonly start: Instant;
  readonly end: Instant | null;
  /** Of the window after it. */
  readonly nextEnd: Instant | null;
}

function askedOf(
  { accountId, timeZone, budgets }: Pick<Account, "accountId" | "timeZone" | "budgets">,
  spanOf: ReturnType<typeof spansAt>,
): Asked[] {
  return readCounted(budgets).map(({ dimension, window }) => {
    return { accountId, dimension, window, ...spanOf(window, timeZone) };
  });
}

/** Windows of now and when the ones after them end, each worked out once: calendars are slow, and zones are few. */
function spansAt(now: Instant): (window: BudgetWindow, timeZone: string) => Span {
  const known = new Map<string, Span>();
  return (window, timeZone) => {
    const key = `${window} ${timeZone}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const { start, end } = windowAt(window, now, timeZone);
    const nextEnd = end === null ? null : windowAt(window, end, timeZone).end;
    known.set(key, { start, end, nextEnd });
    return { start, end, nextEnd };
  };
}

/** No id and no dimension has a NUL. */
function keyOf({ accountId, dimension, window }: Asked): string {
  return [accountId, dimension, window].join("\0");
}

type Limits = Pick<PublishedBudgets, "credits" | "values">;

const UNKNOWN: Limits = { credits: null, values: null };

async function readLimitsOf(
  transaction: Transaction,
  asked: readonly Asked[],
  now: Instant,
): Promise<Map<Asked, Limits>> {
  if (asked.length === 0) return new Map();
  const names = columnsOf(asked, "accountId", "dimension", "window");
  const within = await queryRows<Numbered>(transaction, WITHIN, names, "budgets-to-publish");
  const few = within.flatMap(({ number }) => asked[number - 1] ?? []);
  const found = new Map(asked.map((one) => [one, UNKNOWN]));
  if (few.length === 0) return found;
  const columns = columnsOf(few, "accountId", "dimension", "window", "start", "end");
  const rows = await queryRows<Row>(transaction, READ, [...columns, now], "published-budgets");
  const byNumber = Map.groupBy(rows, ({ number }) => number);
  for (const [at, one] of few.entries()) found.set(one, limitsOf(byNumber.get(at + 1) ?? []));
  return found;
}

function limitsOf(rows: readonly Row[]): Limits {
  const [first] = rows;
  if (first === undefined || first.areTooMany) return UNKNOWN;
  const values = rows.flatMap(({ value, credits, spent, spentAhead, held }) =>
    value === null ? [] : [{ value, credits, spent, spentAhead, held }],
  );
  return { credits: first.usual, values };
}
