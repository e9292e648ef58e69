import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply } from "fastify";

interface ProblemFields {
  readonly field?: string;
  readonly rejected?: readonly unknown[];
  readonly retryAfterSeconds?: number;
}

/** Ends a request with a problem document (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly fields: ProblemFields;
  constructor(status: number, detail: string, fields: ProblemFields = {}) {
    super(detail);
    this.status = status;
    this.fields = fields;
  }
}

/** What Fastify refuses by itself, in our words. */
const OF_FASTIFY: Readonly<Record<number, string>> = {
  413: "the body has more than 1 MiB; send several with fewer events each",
  415: "the content type must be application/cloudevents+json, application/cloudevents-batch+json or application/json",
};

export function toProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  const status = statusOf(error);
  if (status === null) return null;
  return new Problem(status, OF_FASTIFY[status] ?? (error as FastifyError).message);
}

/** As bytes: to a text Fastify would add a charset, and the media type has none. */
export function sendProblem(reply: FastifyReply, { status, message, fields }: Problem) {
  const { retryAfterSeconds, ...rest } = fields;
  if (retryAfterSeconds !== undefined) reply.header("retry-after", retryAfterSeconds);
  const document = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: message,
    ...rest,
  };
  return reply
    .code(status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(document)));
}

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500
    ? statusCode
    : null;
}
