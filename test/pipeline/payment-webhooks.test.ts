import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type SimulatedGateway,
  startSimulatedGateway,
} from "../../infra/simulated-gateway/start-gateway.ts";
import { WEBHOOK_PATH } from "../../services/top-up/webhook-server.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openPayer, sellCredits, untilPayment, use } from "../support/books/payers.ts";
import { everyTable } from "../support/cli/every-table.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { type GatewayClient, gatewayClient } from "../support/processes/gateway-client.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import {
  TURN_MS,
  takeTopUpGroup,
  topUpProcess,
  WEBHOOK_SECRET,
} from "../support/processes/top-up-process.ts";

/**
 * Requests to the address where the gateway sends its webhooks. Nobody else can change anything there,
 * and the gateway itself changes nothing by repeating one or sending it late.
 */
const WITHIN_MS = 60_000;
/** The service allows ten seconds. */
const CUT_OFF_WITHIN_MS = 40_000;
const TEST_MS = 120_000;
const account = `webhooks-${Date.now()}`;
const NAMED = { account_id: account, payment_id: "low-balance:1" };

let giveBack: () => Promise<void>;
let books: Books;
let dataDir: string;
let gateway: SimulatedGateway;
let log: GatewayClient;
let service: ServiceProcess;
let address: URL;

beforeAll(async () => {
  giveBack = await takeTopUpGroup(testKafka());
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-gateway-"));
  gateway = await startSimulatedGateway({ dataDir });
  log = gatewayClient(gateway.url);
  await openPayer(books, account);
  service = topUpProcess({ databaseUrl: books.url, gatewayUrl: gateway.url });
  const { webhooks } = await service.says(/^topping up$/, WITHIN_MS);
  address = new URL(WEBHOOK_PATH, String(webhooks));
  await use(books, { [account]: 6_000_000n });
  await untilPayment(books, account, "succeeded", WITHIN_MS);
  await untilQuiet();
}, TURN_MS);

afterAll(async () => {
  await service?.kill();
  await gateway?.close();
  await rm(dataDir, { recursive: true, force: true });
  await books?.close();
  await giveBack?.();
});

test.each([
  { what: "without a signature", header: undefined },
  { what: "with a malformed signature", header: "garbage" },
  { what: "signed with another secret", header: signed(event(NAMED), { secret: "whsec_other" }) },
  { what: "signed for another body", header: signed(event({ ...NAMED, payment_id: "x" })) },
  { what: "signed six minutes ago", header: signed(event(NAMED), { secondsAgo: 360 }) },
])("$what: refused with 400, logged, and nothing is changed", async ({ header }) => {
  await expectNothingChanged(async () => {
    expect(await post(event(NAMED), header)).toMatchObject({ status: 400 });
  }, /^a webhook was refused$/);
});

test.each([
  { what: "an unknown payment", named: { ...NAMED, payment_id: "low-balance:2" } },
  { what: "a payment of another account", named: { ...NAMED, account_id: "nobody" } },
  { what: "an invalid account id", named: { ...NAMED, account_id: "a\u0000b" } },
  { what: "an invalid payment id", named: { ...NAMED, payment_id: "x".repeat(5_000) } },
  { what: "no payment at all", named: {} },
])(
  "the gateway's own, about $what: accepted and ignored, logged, and nothing is changed",
  async ({ named }) => {
    const body = event(named);
    await expectNothingChanged(async () => {
      expect(await post(body, signed(body))).toMatchObject({ status: 200, ignored: true });
    }, /^ignored a webhook about no payment of these books$/);
  },
);

test.each([
  { what: "no JSON", body: "not json" },
  { what: "JSON that is not an event", body: "[1,2,3]" },
  { what: "an event without an object", body: '{"id":"evt_1","data":{}}' },
  { what: "nothing", body: "" },
])("$what, signed: refused or ignored, logged, and nothing is changed", async ({ body }) => {
  await expectNothingChanged(async () => {
    const { status, ignored } = await post(body, signed(body));
    expect(status === 400 || (status === 200 && ignored === true)).toBe(true);
  }, /^(a webhook was refused|ignored a webhook about no payment)/);
});

test.each([
  { what: "as one", inChunks: false },
  { what: "in chunks, without a Content-Length", inChunks: true },
])(
  "a body of 10 MB, $what: refused before it is read, logged, and nothing is changed",
  async ({ inChunks }) => {
    const body = "x".repeat(10 * 1024 * 1024);
    await expectNothingChanged(async () => {
      const sent = inChunks ? new Blob([body]).stream() : body;
      const { status } = await post(sent, signed(body));
      expect([413, "broken off"]).toContain(status);
    }, /^a webhook was refused$/);
  },
  TEST_MS,
);

test(
  "a body that never arrives: cut off after ten seconds, logged, and nothing is changed",
  async () => {
    await expectNothingChanged(async () => {
      const startedAt = performance.now();
      const slow = await open(`${HEAD}Content-Length: 100\r\n\r\n{`);
      expect(await slow.ended).toMatch(/^HTTP\/1\.1 408/);
      expect(performance.now() - startedAt).toBeLessThan(CUT_OFF_WITHIN_MS);
    }, /^a webhook was refused$/);
  },
  TEST_MS,
);

test(
  "what is not HTTP: cut off, logged, and nothing is changed",
  async () => {
    await expectNothingChanged(async () => {
      const garbage = await open("\u0016\u0003\u0001\u0002 garbage\r\n\r\n");
      expect(await garbage.ended).toMatch(/^HTTP\/1\.1 400/);
    }, /^a webhook was refused$/);
  },
  TEST_MS,
);

test("another path, and another method: refused, and nothing is changed", async () => {
  const body = event(NAMED);
  await expectNothingChanged(async () => {
    const other = await fetch(new URL("/", address), { method: "POST", body });
    expect(other.status).toBe(404);
    expect((await fetch(address)).status).toBe(404);
  });
});

test("the gateway's own, repeated, fifty times concurrently and late: the gateway is queried, and nothing more is charged or granted", async () => {
  const body = event(NAMED);
  await expectNothingChanged(async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(body, signed(body))));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await post(body, signed(body, { secondsAgo: 290 }))).toMatchObject({ status: 200 });
    await untilQuiet();
  });
  expect(await log.payments(`?account_id=${account}`)).toHaveLength(1);
});

test("the service has run throughout, and still accepts the gateway's webhooks", async () => {
  expect(service.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  expect(await post(event(NAMED), signed(event(NAMED)))).toMatchObject({
    status: 200,
    ignored: false,
  });
  await untilQuiet();
  expect(await brokenInvariants(books.database)).toEqual([]);
  expect(await service.stop()).toBe(0);
});

const HEAD = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: drawdown\r\nContent-Type: application/json\r\n`;

function event(metadata: object): string {
  const object = { id: "pay_1", metadata };
  return JSON.stringify({ id: "evt_1", type: "payment_intent.succeeded", data: { object } });
}

/** Stripe's signature header for a body. */
function signed(
  payload: string,
  { secret = WEBHOOK_SECRET, secondsAgo = 0 }: { secret?: string; secondsAgo?: number } = {},
): string {
  const timestamp = Math.floor(Date.now() / 1000) - secondsAgo;
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}

async function post(
  body: string | ReadableStream,
  signature: string | undefined,
): Promise<{ status: number | string; ignored?: boolean }> {
  const headers = {
    "Content-Type": "application/json",
    ...(signature === undefined ? {} : { "Stripe-Signature": signature }),
  };
  try {
    const response = await fetch(address, { method: "POST", headers, body, duplex: "half" });
    return { ...((await response.json()) as object), status: response.status };
  } catch {
    return { status: "broken off" };
  }
}

/** Opens a connection and sends `said`; `ended` is everything answered, once it is closed. */
async function open(said: string): Promise<{ ended: Promise<string> }> {
  const socket = connect({ host: address.hostname, port: Number(address.port) });
  await once(socket, "connect");
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.write(said);
  return { ended: once(socket, "close").then(() => heard) };
}

/** Runs `work`, after which all tables are unchanged and the service's log has a line about it. */
async function expectNothingChanged(work: () => Promise<void>, tells?: RegExp): Promise<void> {
  const before = await tables();
  const lines = service.log.length;
  await work();
  expect(await tables()).toEqual(before);
  if (tells === undefined) return;
  const told = () => service.log.slice(lines).some(({ msg }) => tells.test(msg));
  await eventually(`it is logged: ${tells}`, told, WITHIN_MS);
}

/** All but the number of requests to the gateway. */
async function tables(): Promise<unknown> {
  // The service's offset moves with what other tests' books publish meanwhile, and the instant up to
  // which charges were compared moves with the clock.
  const {
    payment = [],
    consumer_offset: _place,
    charge_check: _check,
    ...rest
  } = await everyTable(books);
  return { ...rest, payment: payment.map((row) => ({ ...JSON.parse(row), calls: "any" })) };
}

async function untilQuiet(): Promise<void> {
  const waiting = `
    SELECT FROM payment WHERE next_try_at IS NOT NULL UNION ALL SELECT FROM outbox
    UNION ALL SELECT FROM balance_change
    UNION ALL SELECT FROM auto_top_up WHERE look_at IS NOT NULL`;
  const isQuiet = async () => (await books.database.query(waiting)).rows.length === 0;
  await eventually("nothing is to be done", isQuiet, WITHIN_MS);
}
