/** The health of the loops that publish, with the process's clock handed in. */
import { expect, onTestFinished, test, vi } from "vitest";
import { retryOutages } from "../../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { publishBooks } from "../../../shared/kafka/publish/publish-books.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { openHealth, type Report } from "../../../shared/runtime/health/health.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { openSleeper } from "../../../shared/runtime/sleeper.ts";
import { connect } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { silent, testKafka } from "../../support/kafka/kafka.ts";

const LIMIT_MS = 60_000;

/** Publishes from a database; ended with the test. */
function publishing(database: Pick<Database, "query" | "connect">) {
  const at = { now: 0 };
  const clock = vi.spyOn(performance, "now").mockImplementation(() => at.now);
  const stop = new AbortController();
  const { signal: stopping } = stop;
  const health = openHealth(LIMIT_MS, stopping);
  const running = publishBooks({
    database: database as Database,
    kafka: testKafka(),
    registry: openRegistry(readSettings(process.env).registry),
    waits: retryOutages({ logger: silent, stopping }),
    ...{ health, lookEveryMs: 100, sleeper: openSleeper(stopping) },
  });
  running.catch(() => undefined);
  onTestFinished(() => {
    stop.abort();
    clock.mockRestore();
  });
  const down = (report: Report) => Object.keys(report).filter((name) => report[name] !== null);
  return {
    pass(ms: number) {
      at.now += ms;
    },
    notReadyBy: async () => down(await health.readiness()).filter((name) => name !== "process"),
    notAliveBy: async () => down(await health.liveness()),
  };
}

test("a loop that hangs is named, and asks for a restart within twice the limit", async () => {
  const hang = () => new Promise<never>(() => undefined);
  const { pass, notReadyBy, notAliveBy } = publishing({ query: hang, connect: hang });
  pass(5_000 + LIMIT_MS - 1);
  expect(await notReadyBy()).toEqual([]);
  pass(1);
  expect(await notReadyBy()).toEqual(["relay", "balances"]);
  expect(await notAliveBy()).toEqual([]);
  pass(LIMIT_MS);
  expect(await notAliveBy()).toEqual(["relay", "balances"]);
});

test("one that only waits out an outage does not", async () => {
  const away = connect("postgres://drawdown@127.0.0.1:1/books");
  const { pass, notReadyBy, notAliveBy } = publishing(away);
  for (let round = 0; round < 2; round += 1) {
    pass(5_000 + LIMIT_MS);
    expect(await notAliveBy()).toEqual([]);
    await eventually("they have tried again", async () => (await notReadyBy()).length === 0);
  }
  await away.end();
});
