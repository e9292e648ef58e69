import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { WrongCursor } from "../../shared/contract/cursor.ts";
import { isKafkaOutage } from "../../shared/kafka/client/kafka-client.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { UsageRefused } from "../../shared/ledger/usage/usage-refused.ts";
import { followRoutes } from "./allowed-methods.ts";
import { badRequest, documentOf, Problem, refuse, titleOf } from "./problem.ts";

/** Answers every failure with a problem document. `stopping`: the process takes its leave. */
export function answerProblems(app: FastifyInstance, stopping: AbortSignal): void {
  const methodsOf = followRoutes(app);
  app.setErrorHandler((error: FastifyError | Problem, request, reply) => {
    const problem = toProblem(error);
    // A client that has disconnected gets no answer, and nothing is wrong here.
    if (!request.raw.destroyed) logFailure(request, error, problem, stopping);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply) => {
    const path = pathOf(request);
    const allowed = methodsOf(path);
    const [status, code] = allowed.length === 0 ? [404, "not_found"] : [405, codeOf(405)];
    if (allowed.length > 0) void reply.header("Allow", allowed.join(", "));
    const detail = `there is no ${request.method} ${path}`;
    return sendProblem(reply, new Problem(status, code, detail));
  });
}

/** 500 is a fault of this process; 503 an outage, or more than it can take. One that stops may well say 503. */
function logFailure(
  request: FastifyRequest,
  error: FastifyError | Problem,
  { status }: Problem,
  stopping: AbortSignal,
): void {
  if (status < 500) return;
  const asked = `${request.method} ${request.routeOptions.url ?? pathOf(request)}`;
  if (status === 500) request.log.error({ err: error, asked }, "a request failed");
  else if (!stopping.aborted) {
    request.log.warn({ error: error.message, asked }, "a request cannot be answered now");
  }
}

/** Answers a request whose URL is malformed. */
export function answerBadAddress(
  error: FastifyError,
  _: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendProblem(reply, toProblem(error));
}

/** Answers what is not a complete request: invalid HTTP, too large headers, a body that does not arrive. */
export function answerBadConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = connectionProblem(error.code);
  const body = JSON.stringify(documentOf(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${titleOf(problem.status)}`,
    "Content-Type: application/problem+json",
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function connectionProblem(code: string | undefined): Problem {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem(408, "request_timeout", "the request did not arrive in time", {
        field: "body",
      });
    case "HPE_HEADER_OVERFLOW":
      return new Problem(431, codeOf(431), "the headers are too large");
    default:
      return new Problem(400, "invalid", "the request is not valid HTTP/1.1");
  }
}

/** Sent as bytes, since Fastify adds a charset to text, which some clients do not expect. */
function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) {
    void reply.header("Retry-After", String(problem.retryAfterSeconds));
  }
  return reply
    .status(problem.status)
    .header("Content-Type", "application/problem+json")
    .send(Buffer.from(JSON.stringify(documentOf(problem))));
}

const OUTAGE_RETRY_SECONDS = 5;

function unavailable(server: string): Problem {
  const detail = `${server} is unavailable; try again in a few seconds`;
  return new Problem(503, "unavailable", detail, { retryAfterSeconds: OUTAGE_RETRY_SECONDS });
}

function toProblem(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error);
  // First, since the sockets of both fail with the same codes.
  if (isKafkaOutage(error)) return unavailable("Kafka");
  if (isDatabaseOutage(error)) return unavailable("the database");
  if (error instanceof WrongCursor) return badRequest("cursor", error.message);
  if (error instanceof UsageRefused) return refuse(error.refusal);
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return new Problem(
      500,
      "internal",
      "an unexpected error occurred and was logged; try again later",
    );
  return refusedByServer(error, status);
}

/** A part of the request is not what the route's schema says. */
function invalid({ validation, validationContext = "body" }: ValidationError): Problem {
  const [first] = validation;
  const unknown = unknownFieldOf(first?.params);
  const path = `${first?.instancePath ?? ""}/${unknown ?? ""}`;
  const field = fieldOf(validationContext, path);
  const named = validationContext === "querystring" ? "parameter" : "field";
  const what = unknown === null ? first?.message : `is not a known ${named} here`;
  return new Problem(400, "invalid", `${field}: ${what ?? "is not valid"}`, { field });
}

interface ValidationError {
  readonly validation: readonly { instancePath: string; params: unknown; message?: string }[];
  readonly validationContext?: string | undefined;
}

/** A request that the server refuses before any route sees it. */
function refusedByServer({ code, message }: FastifyError, status: number): Problem {
  const field = FIELDS[code];
  const name = status === 400 ? "invalid" : codeOf(status);
  const detail = DETAILS[code] ?? message;
  return new Problem(status, name, detail, field === undefined ? {} : { field });
}

/** Where Fastify's errors do not say enough: its parser of JSON refuses all of these in the same way. */
const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY:
    "the body is not JSON, or has a field called __proto__, or prototype in one called constructor",
};

/** The part of the request that each of Fastify's errors is about. */
const FIELDS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: "url",
  FST_ERR_MAX_PARAM_LENGTH: "url",
  FST_ERR_CTP_BODY_TOO_LARGE: "body",
  FST_ERR_CTP_EMPTY_JSON_BODY: "body",
  FST_ERR_CTP_INVALID_JSON_BODY: "body",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "Content-Length",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Content-Type",
};

/** The name of an unknown field. Zod reports the path of its object, and the name separately. */
function unknownFieldOf(params: unknown): string | null {
  if (typeof params !== "object" || params === null || !("keys" in params)) return null;
  const [name]: unknown[] = Array.isArray(params.keys) ? params.keys : [];
  return typeof name === "string" ? name : null;
}

/** `/limits/0` in the body is `limits.0`. */
function fieldOf(context: string, path: string): string {
  const inside = path.split("/").filter((part) => part !== "");
  const place = context === "headers" ? [context] : [];
  return (inside.length === 0 ? [context] : [...place, ...inside]).join(".");
}

/** The title as a code: "content_too_large" for 413. */
function codeOf(status: number): string {
  return titleOf(status).toLowerCase().replaceAll(/[ -]/g, "_");
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?")[0] ?? url;
}
