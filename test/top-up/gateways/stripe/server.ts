import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, onTestFinished } from "vitest";
import type { PaymentGateway } from "../../../../services/top-up/gateways/payment-gateway.ts";
import { openStripeGateway } from "../../../../services/top-up/gateways/stripe/gateway.ts";

/** In the form that stripe-mock requires. */
export const SECRET_KEY = "sk_test_thesecretkey";
export const WEBHOOK_SECRET = "whsec_the_webhook_secret";

export interface StripeRequest {
  /** Such as `POST /v1/refunds`. */
  readonly call: string;
  /** From the query or the form. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
}

/** How the server treats a request: answers it, or fails like a network. */
export type Answer =
  | { readonly status?: number; readonly body: unknown }
  | "says nothing"
  | "breaks the connection"
  | "answers in trickles";

export interface StripeServer {
  readonly url: string;
  readonly gateway: PaymentGateway;
  /** The requests received, in order. */
  readonly requests: readonly StripeRequest[];
  /** How many connections are open. */
  connections(): Promise<number>;
}

/** A server with as much of Stripe's API as a test needs, and a gateway connected to it. */
export async function stripeServer(
  answer: (request: StripeRequest) => Answer,
  timeoutMs = 10_000,
): Promise<StripeServer> {
  const requests: StripeRequest[] = [];
  const server = createServer((incoming, response) => {
    void readRequest(incoming).then((request) => {
      requests.push(request);
      send(answer(request), response);
    });
  });
  // It closes no connection by itself.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") return expect.fail("not on a port");
  const url = `http://127.0.0.1:${address.port}`;
  const gateway = openStripeGateway({
    secretKey: SECRET_KEY,
    webhookSecret: WEBHOOK_SECRET,
    url,
    timeoutMs,
  });
  const connections = () => promisify(server.getConnections.bind(server))();
  return { url, gateway, requests, connections };
}

async function readRequest(incoming: IncomingMessage): Promise<StripeRequest> {
  const { pathname, search } = new URL(incoming.url ?? "/", "http://stripe.test");
  const form = new URLSearchParams(
    incoming.method === "POST" ? await text(incoming) : search.slice(1),
  );
  return {
    call: `${incoming.method} ${pathname}`,
    params: Object.fromEntries(form),
    headers: incoming.headers,
  };
}

function send(answer: Answer, response: ServerResponse): void {
  if (answer === "says nothing") return;
  if (answer === "breaks the connection") {
    response.destroy();
    return;
  }
  if (answer === "answers in trickles") {
    trickle(response);
    return;
  }
  const { status = 200, body } = answer;
  response.writeHead(status, { "content-type": "application/json", "request-id": "req_1" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** A byte at a time, with no pause long enough to count as the end. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 10);
  response.on("close", () => clearInterval(timer));
}
