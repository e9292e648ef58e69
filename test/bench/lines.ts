import { inDatabase } from "./books.ts";
import { cpuFigure, type Figure } from "./figure.ts";
import { type Bench, backlog, metering, onBooks } from "./throughput.ts";

const ACCOUNTS = 10_000;
const FURTHER = ["llm.audio_tokens", "llm.cached_tokens", "llm.reasoning_tokens", "llm.searches"];

const PRICES = `
  INSERT INTO rate (meter, valid_from, credits, per, rounds_each)
  SELECT meter, '2020-01-01Z', 2500000, 1000000, false FROM unnest($1::text[]) AS meter`;

/** Events of five meters each, beside as many events of one: one identity and one message for five lines. */
export async function eventsOfSeveralMeters(bench: Bench): Promise<Figure[]> {
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0 };
  const metered = async (furtherMeters: readonly string[]) => {
    const total = await backlog(bench, { ...load, furtherMeters });
    const runs = [];
    for (let round = 0; round < bench.rounds; round += 1) {
      bench.say(`${1 + furtherMeters.length} meters: round ${round + 1} of ${bench.rounds}`);
      runs.push(
        await onBooks(bench, ACCOUNTS, 1, async (url) => {
          await inDatabase(url, async (pool) => void (await pool.query(PRICES, [FURTHER])));
          return metering(bench, url, total);
        }),
      );
    }
    return runs;
  };
  const ofOne = await metered([]);
  const ofFive = await metered(FURTHER);
  const pairs = ofFive.flatMap((subject, round) => {
    const floor = ofOne[round];
    return floor === undefined ? [] : [{ subject, floor }];
  });
  return [cpuFigure("CPU, events of five meters", pairs, "of one", { atMost: 5 })];
}
