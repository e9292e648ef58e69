/**
 * What reaches the address of the gateway's webhooks: only what it signed, about a payment of these books, has
 * an effect, and that is to ask the gateway. Everything else is refused or ignored, and nothing changes.
 */
import fc from "fast-check";
import Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSimulatedGateway } from "../../../services/top-up/gateways/simulated/gateway.ts";
import { openWebhookServer, WEBHOOK_PATH } from "../../../services/top-up/webhook-server.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { type Books, openBooks, setPrice } from "../../support/books/books.ts";
import { topUpIfLow } from "../../support/books/one-payment.ts";
import { openPayer, sellCredits, use } from "../../support/books/payers.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { silent } from "../../support/kafka/kafka.ts";
import { fuzzing } from "../budget.ts";
import { soon } from "../in-time.ts";
import { mutantJsonOf } from "../mutant-values.ts";
import { mutantsOf, mutantTextsOf } from "../mutants.ts";

const SECRET = "whsec_of_the_tests";
const EVENT = {
  ...{ id: "evt_1", object: "event", type: "payment_intent.succeeded" },
  data: { object: { id: "pay_1", metadata: { account_id: "acme", payment_id: "low-balance:1" } } },
};
const valid = fc.constant(JSON.stringify(EVENT));
const changed = fc.oneof(
  mutantTextsOf(valid).map((text) => Buffer.from(text)),
  mutantJsonOf(fc.constant(EVENT)).map((text) => Buffer.from(text)),
  mutantsOf(valid.map((text) => Buffer.from(text))),
);

let books: Books;
let server: Awaited<ReturnType<typeof openWebhookServer>>;
let asked: number;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  await openPayer(books, "acme");
  await use(books, { acme: 6_000_000n });
  await topUpIfLow(books.database, { accountId: toAccountId("acme"), now: Date.now() });
  // It was sent to the gateway.
  await books.database.query("UPDATE payment SET calls = 1");
  const gateway = openSimulatedGateway({ url: "http://127.0.0.1:9", webhookSecret: SECRET });
  const onPayment = () => {
    asked += 1;
  };
  const context = { database: books.database, gateway, logger: silent, onPayment };
  server = await openWebhookServer(context, { host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await server?.close();
  await books?.close();
});

test("what the gateway signed is about a payment of these books, or is ignored or refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        valid.map((text) => Buffer.from(text)),
        changed,
      ),
      async (body) => {
        asked = 0;
        const { status, ignored } = await post(body, signatureOf(body));
        const named = namedIn(body);
        if (named === "no JSON") expect(status).toBe(400);
        else
          expect([status, ignored, asked]).toEqual([
            200,
            named !== "ours",
            Number(named === "ours"),
          ]);
      },
    ),
    fuzzing(2),
  );
});

test("what it did not sign is refused, and changes nothing", async () => {
  const body = fc.oneof(
    valid.map((text) => Buffer.from(text)),
    changed,
  );
  const header = fc.constant(null).map(() => signatureOf(Buffer.from(JSON.stringify(EVENT))));
  const signature = fc.oneof(
    mutantTextsOf(header, [",v1=", "t=", "v0="]).map(toHeader),
    fc.constant(""),
  );
  const before = await everyTable(books);
  asked = 0;
  await fc.assert(
    fc.asyncProperty(body, signature, async (bytes, given) => {
      // A change may leave a signature as it was, or repeat it.
      fc.pre(!isSigned(bytes, given));
      expect((await post(bytes, given)).status).toBe(400);
    }),
    fuzzing(2),
  );
  expect(asked).toBe(0);
  expect(await everyTable(books)).toEqual(before);
});

function signatureOf(body: Buffer, timestamp = Math.floor(Date.now() / 1_000)): string {
  const given = { payload: body.toString(), secret: SECRET, timestamp };
  return Stripe.webhooks.generateTestHeaderString(given);
}

/** Signed at the time that the header states. */
function isSigned(body: Buffer, header: string): boolean {
  const [, at] = /t=(\d+)/.exec(header) ?? [];
  if (at === undefined || body.toString() !== JSON.stringify(EVENT)) return false;
  const [, mac = ""] = signatureOf(body, Number(at)).split("v1=");
  return header.includes(mac);
}

/** As HTTP may carry it. */
function toHeader(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "").slice(0, 4_000);
}

/** Read by itself: whose payment a body names. */
function namedIn(body: Buffer): "ours" | "others" | "no JSON" {
  try {
    const { account_id, payment_id } = JSON.parse(body.toString())?.data?.object?.metadata ?? {};
    return account_id === "acme" && payment_id === "low-balance:1" ? "ours" : "others";
  } catch {
    return "no JSON";
  }
}

async function post(body: Buffer, signature: string) {
  const headers = { "Content-Type": "application/json", "Stripe-Signature": signature };
  const url = new URL(WEBHOOK_PATH, server.url);
  const response = await soon(() =>
    fetch(url, { method: "POST", headers, body: new Uint8Array(body) }),
  );
  return { ...((await response.json()) as { ignored?: boolean }), status: response.status };
}
