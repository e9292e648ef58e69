import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import fastify from "fastify";
import { idProblem, toAccountId } from "../../shared/core/text/text.ts";
import { checkPaymentNow } from "../../shared/ledger/payments/claim.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import {
  OutcomeUnknown,
  type PaymentGateway,
  type PaymentNamed,
  WebhookRefused,
} from "./gateways/payment-gateway.ts";

export const WEBHOOK_PATH = "/webhooks/payments";
/** Far more than any gateway's event; larger bodies are refused unread. */
const MOST_BODY_BYTES = 512 * 1024;
const BODY_WITHIN_MS = 10_000;
/** Node's defaults: it checks every 30 seconds, and allows 60 for the headers. */
const IN_TIME = { headersTimeout: BODY_WITHIN_MS, connectionsCheckingInterval: 1_000 };

interface WebhookContext {
  readonly database: Database;
  readonly gateway: PaymentGateway;
  readonly logger: Logger;
  /** Called for each payment that the gateway is to be asked about. */
  onPayment(): void;
}

/**
 * Receives the gateway's webhooks at `WEBHOOK_PATH`. A webhook is only a hint to ask the gateway about
 * a payment, so repeated, unordered, late and forged ones change nothing. One that is not the gateway's
 * is refused (400). One about no payment of these books is acknowledged (200) and ignored; otherwise
 * the gateway would repeat it for days and then disable this address.
 */
export async function openWebhookServer(
  context: WebhookContext,
  listen: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { database, gateway, logger, onPayment } = context;
  const app = fastify({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: BODY_WITHIN_MS,
    http: IN_TIME,
    clientErrorHandler: (error, socket) => cutOff(error, socket, logger),
  });
  // The signature covers the raw bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));

  app.post(WEBHOOK_PATH, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = request.headers[gateway.signatureHeader];
    const named = await gateway.readWebhook(body, typeof header === "string" ? header : undefined);
    const isOurs = named !== null && (await requestCheck(named));
    if (isOurs) onPayment();
    else logger.warn({ ...named }, "ignored a webhook about no payment of these books");
    return reply.send({ received: true, ignored: !isOurs });
  });
  app.setErrorHandler((error, _, reply) => {
    const answer = answerTo(error);
    if (answer.status === 500) logger.error({ err: error }, "a webhook could not be processed");
    else if (answer.status === 503)
      logger.warn({ error: messageOf(error) }, "a webhook has to wait");
    else logger.warn({ status: answer.status, error: answer.message }, "a webhook was refused");
    return reply.code(answer.status).send({ error: answer.message });
  });

  const url = await app.listen({ host: listen.host, port: listen.port });
  return { url, close: () => app.close() };

  async function requestCheck({ accountId, paymentId }: PaymentNamed): Promise<boolean> {
    if (idProblem("account_id", accountId) !== null) return false;
    if (idProblem("payment_id", paymentId) !== null) return false;
    const payment = { accountId: toAccountId(accountId), paymentId };
    return checkPaymentNow(database, payment, Date.now());
  }
}

/** Answers what is not valid HTTP, or does not arrive in time. */
function cutOff(error: Error & { code?: string }, socket: Socket, logger: Logger): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const status = error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  logger.warn({ status, error: error.message }, "a webhook was refused");
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}

/** The gateway sends a webhook again unless the answer is 2xx. */
function answerTo(error: unknown): { status: number; message: string } {
  if (error instanceof WebhookRefused) return { status: 400, message: error.message };
  if (error instanceof OutcomeUnknown || isDatabaseOutage(error)) {
    return { status: 503, message: "try again later" };
  }
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" && status < 500 && error instanceof Error
    ? { status, message: error.message }
    : { status: 500, message: "the webhook was not processed; send it again" };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
