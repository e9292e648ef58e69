import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import fastify from "fastify";
import { idProblem, toAccountId } from "../../shared/core/text/text.ts";
import { checkPaymentNow } from "../../shared/ledger/payments/claim.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import {
  OutcomeUnknown,
  type PaymentGateway,
  type PaymentNamed,
  WebhookRefused,
} from "./gateways/payment-gateway.ts";

export const WEBHOOK_PATH = "/webhooks/payments";
/** Far more than an event of any gateway; what is larger is refused before it is read. */
const MOST_BODY_BYTES = 512 * 1024;
const BODY_WITHIN_MS = 10_000;
/** Node looks for requests that take longer every 30 seconds, and allows 60 for the head, unless told. */
const IN_TIME = { headersTimeout: BODY_WITHIN_MS, connectionsCheckingInterval: 1_000 };

interface WebhookParts {
  readonly database: Database;
  readonly gateway: PaymentGateway;
  readonly logger: Logger;
  /** Hears of each payment that is to be asked about. */
  onNews(): void;
}

/**
 * Takes the gateway's webhooks at `WEBHOOK_PATH`. A webhook is a hint and no more: it has the gateway
 * asked about the payment, so repeats, a wrong order, late ones and forged ones change nothing. What
 * is not the gateway's is refused (400); what is, but names no payment of these books, is told to be
 * ignored (200), or the gateway would send it for days and give up on this address.
 */
export async function openWebhookServer(
  parts: WebhookParts,
  listen: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { database, gateway, logger, onNews } = parts;
  const app = fastify({
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: BODY_WITHIN_MS,
    http: IN_TIME,
    clientErrorHandler: (error, socket) => cutOff(error, socket, logger),
  });
  // The signature is over the bytes as they came.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));

  app.post(WEBHOOK_PATH, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = request.headers[gateway.signatureHeader];
    const named = await gateway.readWebhook(body, typeof header === "string" ? header : undefined);
    const isOurs = named !== null && (await ask(named));
    if (isOurs) onNews();
    else logger.warn({ ...named }, "a webhook about no payment of these books was ignored");
    return reply.send({ received: true, ignored: !isOurs });
  });
  app.setErrorHandler((error, _, reply) => {
    const answer = answerTo(error);
    if (answer.status >= 500) logger.error({ err: error }, "a webhook was not taken");
    else logger.warn({ status: answer.status, error: answer.message }, "a webhook was refused");
    return reply.code(answer.status).send({ error: answer.message });
  });

  const url = await app.listen({ host: listen.host, port: listen.port });
  return { url, close: () => app.close() };

  async function ask({ accountId, paymentId }: PaymentNamed): Promise<boolean> {
    if (idProblem("account_id", accountId) !== null) return false;
    if (idProblem("payment_id", paymentId) !== null) return false;
    const payment = { accountId: toAccountId(accountId), paymentId };
    return checkPaymentNow(database, payment, Date.now());
  }
}

/** What is no HTTP, or does not come in time, never becomes a request. */
function cutOff(error: Error & { code?: string }, socket: Socket, logger: Logger): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const status = error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  logger.warn({ status, error: error.message }, "a webhook was refused");
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}

/** The gateway sends again what is not answered with 2xx. */
function answerTo(error: unknown): { status: number; message: string } {
  if (error instanceof WebhookRefused) return { status: 400, message: error.message };
  if (error instanceof OutcomeUnknown) return { status: 503, message: "ask again later" };
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" && status < 500 && error instanceof Error
    ? { status, message: error.message }
    : { status: 500, message: "the webhook was not taken; send it again" };
}
