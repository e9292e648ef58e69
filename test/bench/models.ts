import { inDatabase } from "./books.ts";
import { cpuFigure, type Figure, rateFigure } from "./figure.ts";
import { TOKENS } from "./load.ts";
import { type Bench, backlog, inTurn, metering, onBooks } from "./throughput.ts";

const MODELS = 500;
const KINDS = ["input", "output", "cached", "reasoning", "audio"] as const;
const ACCOUNTS = 10_000;

const ONE_PRICE = `
  INSERT INTO rate (meter, valid_from, credits, per, rounds_each)
  VALUES ($1, '2020-01-01Z', 2500000, 1000000, false)`;

const TABLE = `
  INSERT INTO rate (meter, valid_from, per, dimensions, rounds_each)
  VALUES ($1, '2020-01-01Z', 1000000, '{model,kind}', false)`;

const RATES = `
  INSERT INTO rate_by_dimensions (meter, valid_from, place, patterns, credits, per)
  SELECT $1, '2020-01-01Z', row_number() OVER (), ARRAY[model, kind], 2500000, 1000000
  FROM unnest($2::text[]) AS model CROSS JOIN unnest($3::text[]) AS kind`;

/** Metering 500 models of five kinds, each with a rate of its own, beside the same events at one price. */
export async function ratesByModel(bench: Bench): Promise<Figure[]> {
  const models = Array.from({ length: MODELS }, (_, at) => `model-${at}-2026`);
  const dimensions = models.flatMap((model) => KINDS.map((kind) => ({ model, kind })));
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0, dimensions };
  const total = await backlog(bench, load);
  const run = (price: (url: string) => Promise<void>) => () =>
    onBooks(bench, ACCOUNTS, 1, async (url) => {
      await price(url);
      return metering(bench, url, total);
    });
  const pairs = await inTurn(bench, "rates by model", {
    floor: run((url) =>
      inDatabase(url, async (pool) => void (await pool.query(ONE_PRICE, [TOKENS]))),
    ),
    subject: run((url) =>
      inDatabase(url, async (pool) => {
        await pool.query(TABLE, [TOKENS]);
        await pool.query(RATES, [TOKENS, models, KINDS]);
      }),
    ),
  });
  return [
    rateFigure("metering, 500 models of 5 kinds", pairs, "one price", { atLeast: 0.97 }),
    cpuFigure("CPU, 500 models of 5 kinds", pairs, "one price", { atMost: 1.03 }),
  ];
}
