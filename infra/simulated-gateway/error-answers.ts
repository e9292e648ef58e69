import type { FastifyInstance } from "fastify";
import { InvalidRequest } from "./requests.ts";

/** Answers failed requests with JSON: `error`, and `field` if one is wrong. */
export function addErrorAnswers(app: FastifyInstance, onBug: (error: unknown) => void): void {
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: "no such path" }));
  app.setErrorHandler((error, _, reply) => {
    if (error instanceof InvalidRequest) {
      return reply.code(400).send({ error: error.message, field: error.field });
    }
    const status = statusOf(error);
    if (error instanceof Error && status < 500) {
      return reply.code(status).send({ error: error.message });
    }
    onBug(error);
    return reply.code(500).send({ error: "the gateway failed; see its log" });
  });
}

/** Fastify's own errors (such as a body that is too large) carry their status. */
function statusOf(error: unknown): number {
  const has = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof has === "number" ? has : 500;
}
