/**
 * A primary that dies and starts again where it was has all that it answered: new payments wait for the comparison of
 * charges only. On a standby that takes over they also wait until calls of before have ended.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { setUp } from "../../infra/set-up.ts";
import { openSimulatedGateway } from "../../services/top-up/gateways/simulated/gateway.ts";
import { chargeWatch } from "../../services/top-up/watch-charges.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { goesOn, serverReader } from "../../shared/ledger/postgres/server-start.ts";
import { connect } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { silent } from "../support/kafka/kafka.ts";
import { openGateway } from "../support/processes/simulated-gateway.ts";
import { WEBHOOK_SECRET } from "../support/processes/top-up-process.ts";
import { openReplicatedServer, type ReplicatedServer } from "./replicated-server.ts";

const TURN_MS = 120_000;
/** Much less than calls of before may take. */
const SOON_MS = 8_000;

let server: ReplicatedServer;
let database: ReturnType<typeof connect>;

beforeAll(async () => {
  server = await openReplicatedServer();
  const env = { ...process.env, DATABASE_URL: server.url, DATABASE_OWNER_URL: server.ownerUrl };
  await setUp(env, () => undefined);
  database = connect(server.url);
}, TURN_MS);

afterAll(async () => {
  await database?.end();
  await server?.close();
});

/** The server, as soon as it answers. */
async function serverNow() {
  await eventually("Postgres answers", async () => (await seen()) !== null, SOON_MS);
  const now = await seen();
  if (now === null) throw new Error("Postgres answers no more");
  return now;
}

function seen() {
  return serverReader(database)().catch(() => null);
}

test("payments wait for calls of before on another server, not on one that was restarted", {
  timeout: TURN_MS,
}, async () => {
  const stop = new AbortController();
  const { signal: stopping } = stop;
  const gateway = openSimulatedGateway({
    url: (await openGateway()).url,
    webhookSecret: WEBHOOK_SECRET,
  });
  const watch = chargeWatch({
    ...{ database, logger: silent, now: Date.now, stopping },
    gateway: { ...gateway, listEveryMs: 50 },
    waits: retryOutages({ logger: silent, stopping }),
  });
  const watching = watch.run();
  const isComparedOn = (start: string) => () => Promise.resolve(watch.comparedOn() === start);
  const first = await serverNow();
  await eventually("charges are compared", isComparedOn(first.start), SOON_MS);

  await server.addStandby("synchronous");
  const before = await serverNow();
  await server.killPrimary();
  await server.startPrimary();
  const again = await serverNow();
  expect([again.start === before.start, goesOn(before, again)]).toEqual([false, true]);
  await eventually("charges are compared again", isComparedOn(again.start), SOON_MS);
  expect(watch.waiting()).toBeNull();

  await server.killPrimary();
  await server.failOver();
  const other = await serverNow();
  expect(goesOn(again, other)).toBe(false);
  await expect(
    eventually("charges are compared too soon", isComparedOn(other.start), SOON_MS),
  ).rejects.toThrow("charges are compared too soon");
  expect(watch.waiting()).not.toBeNull();
  stop.abort();
  await watching;
});

test("where WAL is not spoken of, as by Aurora, whether a server goes on is unknown", async () => {
  const rights = "EXECUTE ON FUNCTION pg_control_system()";
  const admin = connect(server.superuserUrl);
  try {
    await admin.query(`REVOKE ${rights} FROM public`);
    const read = serverReader(database);
    const [before, now] = [await read(), await read()];
    expect(before).toEqual({ start: (await serverNow()).start, history: null, position: 0n });
    expect(goesOn(before, now)).toBe(false);
  } finally {
    await admin.query(`GRANT ${rights} TO public`);
    await admin.end();
  }
});

test("an old copy of a server's disk does not go on from it, nor does a server that only reads", () => {
  const before = { start: "1", history: "cluster/00000001", position: 1_000n };
  expect(goesOn(before, { ...before, start: "2" })).toBe(true);
  expect(goesOn(before, { ...before, start: "2", position: 999n })).toBe(false);
  const reading = { start: "2", history: null, position: 0n };
  expect([goesOn(before, reading), goesOn(reading, reading)]).toEqual([false, false]);
});
