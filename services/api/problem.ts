import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { z } from "zod";
import { TooMuchUsage } from "../../shared/ledger/list-usage.ts";
import { isDatabaseOutage } from "../../shared/ledger/outage.ts";

/** An answer that refuses: RFC 9457. Thrown by routes, written by `answerProblems`. */
export class Problem extends Error {
  readonly status: number;
  /** What is wrong, for programs; the same for the same cause. */
  readonly code: string;
  /** The field, parameter or header that is wrong. */
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** What the document says beyond that (RFC 9457, 3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      readonly field?: string;
      readonly retryAfterSeconds?: number;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.members = more.members ?? {};
  }
}

/** The document that a problem is answered with. */
export const problemDocument = z
  .object({
    type: z.string().meta({ example: "urn:drawdown:unknown_account" }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    field: z.string().optional(),
  })
  .meta({ description: "RFC 9457 problem details; `type` ends in a code that stays the same." });

const TITLES: Readonly<Record<number, string>> = {
  400: "The request is not valid",
  401: "Who is asking?",
  403: "Not allowed",
  404: "Not found",
  406: "Not acceptable",
  408: "The request took too long",
  409: "Conflict",
  412: "A condition does not hold",
  413: "The request is too large",
  415: "The content is of a type that is not understood",
  422: "It cannot be done",
  429: "Too many requests",
  431: "The headers are too large",
  500: "Something went wrong here",
  503: "Not available now",
};

/** What a document says of a problem. */
export function documentOf({ status, code, message, field, members }: Problem) {
  return {
    type: `urn:drawdown:${code}`,
    title: TITLES[status] ?? "The request failed",
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
    ...members,
  };
}

export function badRequest(field: string, what: string): Problem {
  return new Problem(400, "invalid", `${field} ${what}`, { field });
}

export function unknownAccount(accountId: string): Problem {
  return new Problem(404, "unknown_account", `there is no account ${accountId}`);
}

/** It was understood and is not done: one sentence why. */
export function refused(code: string, detail: string): Problem {
  return new Problem(422, code, detail);
}

/** Has every failure of the server answered with a problem document. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Problem, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) request.log.error({ err: error }, "a request failed");
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply) =>
    sendProblem(
      reply,
      new Problem(404, "not_found", `there is no ${request.method} ${pathOf(request)}`),
    ),
  );
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
    const field = fieldOf(error.validationContext ?? "body", first?.instancePath ?? "");
    return new Problem(400, "invalid", `${field}: ${first?.message ?? "is not valid"}`, { field });
  }
  if (isDatabaseOutage(error)) {
    return new Problem(503, "unavailable", "the books cannot be reached now; ask again", {
      retryAfterSeconds: OUTAGE_RETRY_SECONDS,
    });
  }
  if (error instanceof TooMuchUsage) {
    return new Problem(422, "too_much", `${error.message}; ask for a shorter range`, {
      field: "from",
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) return new Problem(500, "internal", "it is logged here; ask again later");
  return new Problem(status, codeOf(error), error.message);
}

/** `/limits/0` of the body is `limits.0`. */
function fieldOf(context: string, path: string): string {
  const inside = path.split("/").filter((part) => part !== "");
  const place = context === "querystring" || context === "params" ? [] : [context];
  const where =
    inside.length === 0 ? [context] : context === "body" ? inside : [...place, ...inside];
  return where.join(".");
}

function codeOf(error: FastifyError): string {
  return typeof error.code === "string"
    ? error.code.toLowerCase().replace(/^fst_err_/, "")
    : "invalid";
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?")[0] ?? url;
}
