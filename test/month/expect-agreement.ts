import { expect } from "vitest";
import { historyOf, settledMonthly } from "./histories.ts";
import { describeFailure } from "./shortest-failure.ts";
import { type Journey, travelAfresh } from "./time-machine.ts";

/** Plays a history of this shape; fails with the shortest history that shows a difference. */
export async function expectAgreement(
  seed: number,
  shape: Parameters<typeof historyOf>[1],
): Promise<Journey> {
  const history = settledMonthly(historyOf(seed, shape));
  const journey = await travelAfresh(history);
  if (journey.difference === null) return journey;
  expect.fail(await describeFailure(history, journey.difference));
}
