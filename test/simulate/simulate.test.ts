/** The core by itself, without Postgres, against the model: years of accounts, whatever the scheduler does. */
import { describe, expect, test } from "vitest";
import { HISTORY_RATES } from "../model/history-catalogue.ts";
import { withScheduler } from "../model/month-histories.ts";
import { historyOf, randomSeed, settledDaily, settledMonthly } from "../month/histories.ts";
import { OFFER, shortestFailure, simulate } from "./simulate.ts";

const SHAPE = { accounts: 20, months: 24 };
const SEED = Number(process.env["SIMULATE_SEED"] ?? randomSeed());

describe(`two years of accounts leave the same books as the model, seed ${SEED}`, () => {
  test.each([
    { scheduler: "never", settled: (history: ReturnType<typeof historyOf>) => history },
    { scheduler: "once a month", settled: settledMonthly },
    { scheduler: "once a day", settled: settledDaily },
    { scheduler: "all the time", settled: withScheduler },
  ])("with a scheduler that runs $scheduler", async ({ settled }) => {
    const history = settled(historyOf(SEED, SHAPE));
    const { difference } = simulate(history);
    expect(difference === null ? null : await shortestFailure(history)).toBeNull();
  });
});

test("a core that differs by a micro-credit is found, with the shortest history", async () => {
  const rates = HISTORY_RATES.map((rate) => ({ ...rate, credits: rate.credits + 1n }));
  const offer = { ...OFFER, rates };
  const history = historyOf(7, { accounts: 20, months: 3 });
  expect(simulate(history, offer).difference).not.toBeNull();
  const failure = await shortestFailure(history, offer);
  expect(failure).toMatch(/^a\d+: (balance|used) is "?-?\d+"?, not "?-?\d+"?, after/);
  expect(failure.match(/kind: /g)).toHaveLength(1);
});
