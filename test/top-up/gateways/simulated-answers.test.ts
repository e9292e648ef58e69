/**
 * The adapter with a gateway that gives invalid answers: whatever the answer, the outcome of a charge is
 * unknown, and the error says what happened to which payment.
 */
import { createServer, type ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { OutcomeUnknown } from "../../../services/top-up/gateways/payment-gateway.ts";
import { openSimulatedGateway } from "../../../services/top-up/gateways/simulated/gateway.ts";
import { listen } from "../../support/processes/tcp-proxy.ts";

const DECLINE = { kind: "soft", code: "insufficient_funds" };
const UNREADABLE =
  "the simulated gateway's answer to the charge of payment p1 of account acme cannot";
const BROKEN = "the connection to the simulated gateway failed during the charge of payment p1";
const LATE = "the simulated gateway did not answer the charge of payment p1 of account acme within";

test.each([
  { what: "no JSON", answer: says(200, "<html>"), error: UNREADABLE },
  { what: "nothing", answer: says(200, ""), error: UNREADABLE },
  { what: "null", answer: says(200, "null"), error: UNREADABLE },
  { what: "no id", answer: says(200, { status: "succeeded" }), error: UNREADABLE },
  { what: "no status", answer: says(200, { id: "pay_1" }), error: UNREADABLE },
  { what: "a new status", answer: says(200, { id: "pay_1", status: "new" }), error: UNREADABLE },
  {
    what: "a decline without its reason",
    answer: says(402, { id: "pay_1", status: "declined" }),
    error: UNREADABLE,
  },
  {
    what: "a decline of a new kind",
    answer: says(402, { id: "pay_1", status: "declined", decline: { ...DECLINE, kind: "new" } }),
    error: UNREADABLE,
  },
  { what: "503", answer: says(503, "busy"), error: /^the simulated .* with 503: busy$/ },
  { what: "429", answer: says(429, "slowly"), error: /^the simulated .* with 429: slowly$/ },
  { what: "408", answer: says(408, "late"), error: /^the simulated .* with 408: late$/ },
  { what: "201", answer: says(201, { id: "pay_1" }), error: /^the simulated .* with 201: / },
  { what: "a redirect", answer: redirect, error: BROKEN },
  { what: "half an answer, then a break", answer: breakHalfWay, error: BROKEN },
  { what: "half an answer, then nothing", answer: stopHalfWay, error: LATE },
])("$what", async ({ answer, error }) => {
  const url = await serve(answer);
  const adapter = openSimulatedGateway({ url, webhookSecret: "whsec_x", timeLimitMs: 500 });
  const failure: unknown = await adapter
    .charge({
      key: "k1",
      accountId: "acme",
      paymentId: "p1",
      amount: 1000n,
      currency: "USD",
      customer: "cus_acme",
      method: "card_approve",
      createdAt: 0,
    })
    .catch((thrown: unknown) => thrown);
  if (!(failure instanceof OutcomeUnknown)) throw failure;
  expect(failure.message).toMatch(error);
});

/** A server that gives every request the same answer. */
async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

function says(status: number, body: string | object) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (response: ServerResponse) => void response.writeHead(status).end(text);
}

function redirect(response: ServerResponse): void {
  response.writeHead(307, { Location: "/elsewhere" }).end();
}

function stopHalfWay(response: ServerResponse): void {
  response.writeHead(200).write('{"id":');
}

function breakHalfWay(response: ServerResponse): void {
  response.writeHead(200).write('{"id":', () => response.destroy());
}
