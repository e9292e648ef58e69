import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Instant } from "../../shared/core/line/account.ts";
import {
  type ApiRequest,
  answerRequest,
  beginRequest,
  forgetRequest,
} from "../../shared/ledger/access/api-requests.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { nameOf } from "./access/authenticate.ts";
import { badRequest, documentOf, Problem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its answer holds a secret, which is shown once and never stored. */
    showsSecret?: boolean;
    /** What is asked for carries identities of its own, so nothing is kept of the request. */
    identifiesItself?: boolean;
  }
  interface FastifyRequest {
    idempotent: ApiRequest | null;
  }
}

const KEY = /^[\x21-\x7e]{1,200}$/;

/**
 * A POST that names an Idempotency-Key is done once: the same again is answered as before, another
 * request under the same key is refused. What failed may be asked for again. Source: the IETF draft
 * "The Idempotency-Key HTTP Header Field".
 */
export function keepIdempotent(
  app: FastifyInstance,
  { database, now }: { readonly database: Database; readonly now: () => Instant },
): void {
  app.decorateRequest("idempotent", null);

  app.addHook("preValidation", async (request, reply) => {
    const asked = toAsked(request, now());
    if (asked === null) return;
    const begun = await beginRequest(database, asked);
    switch (begun.kind) {
      case "begun":
        request.idempotent = asked;
        return;
      case "answered":
        return await answerAgain(reply, begun);
      case "conflict":
        throw new Problem(
          409,
          "idempotency_key_reused",
          "the Idempotency-Key was used for another request",
          {
            field: "Idempotency-Key",
          },
        );
      case "under_way":
        throw new Problem(
          409,
          "request_in_progress",
          "the same request is being answered; try again",
          {
            field: "Idempotency-Key",
            retryAfterSeconds: 2,
          },
        );
    }
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const asked = request.idempotent;
    if (asked === null) return payload;
    request.idempotent = null;
    const isDone = reply.statusCode < 300 && typeof payload === "string";
    await (isDone
      ? answerRequest(database, asked, answerOf(request, reply, payload))
      : forgetRequest(database, asked));
    return payload;
  });
}

function toAsked(request: FastifyRequest, now: Instant): ApiRequest | null {
  const key = request.headers["idempotency-key"];
  if (request.method !== "POST" || key === undefined) return null;
  if (request.routeOptions.config.identifiesItself === true) return null;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw new Problem(400, "invalid", "Idempotency-Key must be 1 to 200 visible ASCII characters", {
      field: "Idempotency-Key",
    });
  }
  const hash = createHash("sha256")
    .update(`${request.method} ${request.url}\n${textOf(request.body)}`)
    .digest();
  return { caller: nameOf(request), idempotencyKey: key, hash, now };
}

function textOf(body: unknown): string {
  try {
    return JSON.stringify(body) ?? "";
  } catch (error) {
    // Nested deeper than there is stack for, which JSON.parse can read.
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
  "it was made and its secret was shown once; make another",
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
