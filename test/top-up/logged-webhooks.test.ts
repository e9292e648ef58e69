/** What is logged of webhooks that cannot be processed: an error is a fault of the service itself. */
import { expect, onTestFinished, test } from "vitest";
import {
  OutcomeUnknown,
  type PaymentGateway,
} from "../../services/top-up/gateways/payment-gateway.ts";
import { openWebhookServer, WEBHOOK_PATH } from "../../services/top-up/webhook-server.ts";
import { connect } from "../support/books/books.ts";
import { openLog } from "../support/logged.ts";

const NAMED = { accountId: "acme", paymentId: "p1" };

test.each([
  ["a fault", () => Promise.reject(new Error("a bug")), 500, "error"],
  ["a gateway that fails", () => Promise.reject(new OutcomeUnknown("no answer")), 503, "warn"],
  ["an outage of Postgres", () => Promise.resolve(NAMED), 503, "warn"],
] satisfies [string, PaymentGateway["readWebhook"], number, string][])(
  "%s is answered so that the webhook comes again",
  async (_, readWebhook, status, level) => {
    const { logger, logged } = openLog();
    const database = connect("postgres://drawdown@127.0.0.1:1/books");
    const gateway = { signatureHeader: "signature", readWebhook } as object as PaymentGateway;
    const context = { database, gateway, logger, onPayment: () => undefined };
    const server = await openWebhookServer(context, { host: "127.0.0.1", port: 0 });
    onTestFinished(async () => {
      await server.close();
      await database.end();
    });
    const answer = await fetch(`${server.url}${WEBHOOK_PATH}`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(status);
    expect(logged).toMatchObject([{ level }]);
  },
);
