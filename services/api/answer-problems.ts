import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { WrongCursor } from "../../shared/contract/cursor.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { TooMuchUsage } from "../../shared/ledger/usage/list.ts";
import { badRequest, documentOf, Problem, refuse, titleOf } from "./problem.ts";

/** Has every failure of the server answered with a problem document. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Problem, request, reply) => {
    const problem = toProblem(error);
    // Whoever hung up is told nothing, and nothing here is wrong.
    if (problem.status >= 500 && !request.raw.destroyed) {
      const asked = `${request.method} ${request.routeOptions.url ?? pathOf(request)}`;
      request.log.error({ err: error, asked }, "a request failed");
    }
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply) =>
    sendProblem(
      reply,
      new Problem(404, "not_found", `there is no ${request.method} ${pathOf(request)}`),
    ),
  );
}

/** What no route is found for since the address itself is wrong. */
export function answerBadAddress(
  error: FastifyError,
  _: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendProblem(reply, toProblem(error));
}

/** What is not even a request: HTTP that is none, headers that are too large, a body that does not come. */
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

/** As bytes: to text Fastify adds a charset, and then the media type is not what clients look for. */
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

function toProblem(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const unknown = unknownFieldOf(first?.params);
    const path = `${first?.instancePath ?? ""}/${unknown ?? ""}`;
    const field = fieldOf(error.validationContext ?? "body", path);
    const what = unknown === null ? (first?.message ?? "is not valid") : "is not known here";
    return new Problem(400, "invalid", `${field}: ${what}`, { field });
  }
  if (isDatabaseOutage(error)) {
    return new Problem(
      503,
      "unavailable",
      "the database cannot be reached; try again in a few seconds",
      {
        retryAfterSeconds: OUTAGE_RETRY_SECONDS,
      },
    );
  }
  if (error instanceof WrongCursor) return badRequest("cursor", error.message);
  if (error instanceof TooMuchUsage) return refuse({ kind: "range_too_large" });
  const status = error.statusCode ?? 500;
  if (status >= 500)
    return new Problem(500, "internal", "an unexpected error, which was logged; try again later");
  const field = FIELDS[error.code];
  const code = status === 400 ? "invalid" : codeOf(status);
  return new Problem(status, code, error.message, field === undefined ? {} : { field });
}

/** The part of the request that Fastify found fault with. */
const FIELDS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: "url",
  FST_ERR_MAX_PARAM_LENGTH: "url",
  FST_ERR_CTP_BODY_TOO_LARGE: "body",
  FST_ERR_CTP_EMPTY_JSON_BODY: "body",
  FST_ERR_CTP_INVALID_JSON_BODY: "body",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "Content-Length",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Content-Type",
};

/** Of a field that the schema does not have Zod tells the object that holds it, and its name beside. */
function unknownFieldOf(params: unknown): string | null {
  if (typeof params !== "object" || params === null || !("keys" in params)) return null;
  const [name]: unknown[] = Array.isArray(params.keys) ? params.keys : [];
  return typeof name === "string" ? name : null;
}

/** `/limits/0` of the body is `limits.0`. */
function fieldOf(context: string, path: string): string {
  const inside = path.split("/").filter((part) => part !== "");
  const place = context === "headers" ? [context] : [];
  return (inside.length === 0 ? [context] : [...place, ...inside]).join(".");
}

/** "content_too_large" of 413. */
function codeOf(status: number): string {
  return titleOf(status).toLowerCase().replaceAll(/[ -]/g, "_");
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?")[0] ?? url;
}
