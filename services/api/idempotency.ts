import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Instant } from "../../shared/core/line/account.ts";
import {
  type ApiRequest,
  answerRequest,
  beginRequest,
  forgetRequest,
} from "../../shared/ledger/access/api-requests.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { nameOf } from "./access/caller.ts";
import { badRequest, documentOf, Problem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The answer contains a secret, which is shown once and never stored. */
    showsSecret?: boolean;
    /** The body carries its own identities, so the Idempotency-Key is ignored. */
    identifiesItself?: boolean;
    /** So the Idempotency-Key is ignored, too. */
    changesNothing?: boolean;
  }
  interface FastifyRequest {
    idempotent: ApiRequest | null;
  }
}

const field = "Idempotency-Key";
const KEY = /^[\x21-\x7e]{1,200}$/;
/** The header as the OpenAPI document shows it; the hook below reads it first. */
export const keyHeader = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(KEY)
    .optional()
    .describe(
      "1 to 200 visible ASCII characters. For 24 hours the same request again gets the same answer.",
    ),
});
const REUSED = "the Idempotency-Key was used for another request";
const UNDER_WAY = "the same request is in progress; try again";
const AGAIN = { field, retryAfterSeconds: 2 };

/**
 * Runs a POST with an Idempotency-Key once: the same request again gets the same answer, and another
 * request with that key is refused. A failed request may be retried. Source: the IETF draft "The
 * Idempotency-Key HTTP Header Field".
 */
export function keepIdempotent(
  app: FastifyInstance,
  { database, now }: { readonly database: Database; readonly now: () => Instant },
): void {
  app.decorateRequest("idempotent", null);

  app.addHook("preValidation", async (request, reply) => {
    const apiRequest = toApiRequest(request, now());
    if (apiRequest === null) return;
    const begun = await beginRequest(database, apiRequest);
    switch (begun.kind) {
      case "begun":
        request.idempotent = apiRequest;
        return;
      case "answered":
        return await answerAgain(reply, begun);
      case "conflict":
        throw new Problem(409, "idempotency_key_reused", REUSED, { field });
      case "under_way":
        throw new Problem(409, "request_in_progress", UNDER_WAY, AGAIN);
    }
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const apiRequest = request.idempotent;
    if (apiRequest === null) return payload;
    request.idempotent = null;
    const isDone = reply.statusCode < 300 && typeof payload === "string";
    await (isDone
      ? answerRequest(database, apiRequest, answerOf(request, reply, payload))
      : forgetRequest(database, apiRequest));
    return payload;
  });
}

function toApiRequest(request: FastifyRequest, now: Instant): ApiRequest | null {
  const key = request.headers["idempotency-key"];
  if (request.method !== "POST" || key === undefined) return null;
  const { identifiesItself, changesNothing } = request.routeOptions.config;
  if (identifiesItself === true || changesNothing === true) return null;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw badRequest(field, "must be 1 to 200 visible ASCII characters");
  }
  const hash = createHash("sha256")
    .update(`${request.method} ${request.url}\n`)
    .update(contentOf(request.body))
    .digest();
  return { caller: nameOf(request), idempotencyKey: key, hash, now };
}

function contentOf(body: unknown): string | Buffer {
  if (Buffer.isBuffer(body)) return body;
  try {
    return JSON.stringify(body) ?? "";
  } catch (error) {
    // JSON.parse accepts deeper nesting than JSON.stringify.
    if (error instanceof RangeError) throw badRequest("body", "is nested too deeply");
    throw error;
  }
}

function answerOf(request: FastifyRequest, reply: FastifyReply, payload: string) {
  return request.routeOptions.config.showsSecret === true
    ? { status: SHOWN.status, answer: JSON.stringify(documentOf(SHOWN)) }
    : { status: reply.statusCode, answer: payload };
}

const SHOWN = new Problem(
  409,
  "secret_shown",
  "this was done, and its secret is in the first answer only; for another secret, ask under another key",
);

function answerAgain(
  reply: FastifyReply,
  { status, answer }: { readonly status: number; readonly answer: string },
): FastifyReply {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return reply
    .status(status)
    .header("Content-Type", `${type}; charset=utf-8`)
    .header("Idempotency-Replayed", "true")
    .serializer((text: string) => text)
    .send(answer);
}
