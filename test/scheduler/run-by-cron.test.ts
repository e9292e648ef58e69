import { expect, test } from "vitest";
import { runByCron } from "../../services/scheduler/run-by-cron.ts";
import { eventually } from "../support/eventually.ts";

const EVERY_SECOND = "* * * * * *";
const NEVER_SOON = "0 0 29 2 *";

test("the work runs immediately, and then by the expression", async () => {
  const calls = callsBy(EVERY_SECOND);
  expect(calls.begun).toBe(1);
  calls.end();
  await eventually("it is called again", () => calls.begun === 2);
  calls.end();
  await calls.stop();
});

test("the work never runs while a run is under way, however long that takes", async () => {
  const calls = callsBy(EVERY_SECOND);
  const until = Date.now() + 2_500;
  await eventually("two beats fall into the call", () => Date.now() > until);
  expect(calls.begun).toBe(1);
  calls.end();
  await calls.stop();
});

test("a stop ends it: immediately while it waits, otherwise after the run under way", async () => {
  const waits = callsBy(NEVER_SOON);
  waits.end();
  await waits.stop();
  expect(waits.begun).toBe(1);

  const works = callsBy(NEVER_SOON);
  const stopped = works.stop();
  works.end();
  await stopped;
  expect(works.begun).toBe(1);
});

function callsBy(expression: string) {
  const stopping = new AbortController();
  let under = Promise.withResolvers<void>();
  const calls = {
    begun: 0,
    end: () => under.resolve(),
    stop() {
      stopping.abort();
      return running;
    },
  };
  const running = runByCron(
    expression,
    async () => {
      calls.begun += 1;
      under = Promise.withResolvers();
      await under.promise;
    },
    stopping.signal,
  );
  return calls;
}
