import { inDatabase } from "./books.ts";
import { cpuFigure, type Figure, rateFigure } from "./figure.ts";
import { TOKENS } from "./load.ts";
import { type Bench, backlog, inTurn, metering, onBooks } from "./throughput.ts";

const ACCOUNTS = 10_000;
/** Of each account: a million budgets in all. */
const TEAMS = 100;

const PRICE = `
  INSERT INTO rate (meter, valid_from, credits, per, rounds_each)
  VALUES ($1, '2020-01-01Z', 2500000, 1000000, false)`;

const BUDGETS = `
  INSERT INTO budget (account_id, dimension, window_name, value, credits, set_by, set_at)
  SELECT account_id, 'team', 'month', team, 1000000000, 'bench', now()
  FROM account CROSS JOIN unnest($1::text[]) AS team`;

/** The month is under way: each team has spent before. */
const SPENT = `
  INSERT INTO budget_spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
  SELECT account_id, dimension, window_name, date_trunc('month', now(), 'UTC'), value,
         date_trunc('month', now() + interval '1 month', 'UTC'), 0
  FROM budget
  ORDER BY account_id, value`;

/** What transactions have noted since notes last became sums: from nothing to nearly as much as there can be. */
const NOTED = `
  INSERT INTO budget_added (account_id, dimension, window_name, starts_at, place, ends_at, named, credits)
  SELECT account_id, 'team', 'month', date_trunc('month', now(), 'UTC'), 8 * note,
         date_trunc('month', now() + interval '1 month', 'UTC'),
         ARRAY(SELECT 'team-' || (8 * note + at) % cardinality($1::text[]) FROM generate_series(0, 7) AS at),
         array_fill(0::bigint, ARRAY[8])
  FROM (SELECT account_id, row_number() OVER () % 125 AS notes FROM account) AS noting
  CROSS JOIN LATERAL generate_series(1, notes) AS note`;

const COUNTED = `UPDATE account SET budgets = '[["team", "month", 0]]'`;

/** Metering with a budget for each team of each account, beside the same events without. */
export async function budgetsCounted(bench: Bench): Promise<Figure[]> {
  const teams = Array.from({ length: TEAMS }, (_, at) => `team-${at}`);
  const dimensions = teams.map((team) => ({ team }));
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0, dimensions };
  const total = await backlog(bench, load);
  const run = (budgets: boolean) => () =>
    onBooks(bench, ACCOUNTS, 1, async (url) => {
      await inDatabase(url, async (pool) => {
        await pool.query(PRICE, [TOKENS]);
        if (!budgets) return;
        await pool.query(BUDGETS, [teams]);
        await pool.query(COUNTED);
        await pool.query(SPENT);
        await pool.query(NOTED, [teams]);
        await pool.query("VACUUM ANALYZE account, budget, budget_spend, budget_added");
        await pool.query("CHECKPOINT");
      });
      return metering(bench, url, total);
    });
  const pairs = await inTurn(bench, "a million budgets", { floor: run(false), subject: run(true) });
  return [
    rateFigure("metering, a million budgets", pairs, "without", { atLeast: 0.9 }),
    cpuFigure("CPU, a million budgets", pairs, "without"),
  ];
}
