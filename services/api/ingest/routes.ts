import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { UsageClient } from "../../../shared/client/usage-client.ts";
import { ingestAnswer } from "../../../shared/contract/ingest-answer.ts";
import { ingestProblem } from "../../../shared/contract/problem.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { FeedCard } from "../../../shared/core/offer/feed-card.ts";
import type { EventWindow } from "../../../shared/core/usage/usage-event.ts";
import { Problem } from "../problem.ts";
import { REFUSALS } from "../routes/parts.ts";
import { type DeliveryLimits, openDelivery } from "./delivery.ts";
import { type Judged, judgeEvents } from "./judge-events.ts";
import {
  BATCH,
  type Body,
  emptyBody,
  eventsOf,
  MAX_BODY_BYTES,
  PLAIN,
  readBody,
  SINGLE,
} from "./read-body.ts";
import { ingestBody } from "./schemas.ts";

const PATHS = ["/v1/events", "/api/v1/events"];

/** Room for 20 batches of the most events. */
const LIMITS: DeliveryLimits = {
  maxWaiting: 20_000,
  maxWaitingBytes: 64 * MAX_BODY_BYTES,
  withinMs: 10_000,
};
const RETRY = { retryAfterSeconds: 2 };

export interface IngestParts {
  readonly client: Pick<UsageClient, "publish">;
  /** What feeds meters, as of now. */
  readFeeds(): Promise<FeedCard>;
  now(): Instant;
  /** That of the metering that the events go to. */
  readonly window: EventWindow;
  readonly limits?: Partial<DeliveryLimits>;
}

/**
 * Takes usage as CloudEvents 1.0 over HTTP. What was accepted, Kafka has. What is answered with 503, or
 * not at all, is sent again as it was; what is refused with 400 or listed under `rejected` is never
 * taken as it is.
 */
export async function ingestRoutes(app: FastifyInstance, parts: IngestParts): Promise<void> {
  const limits = { ...LIMITS, ...parts.limits };
  const delivery = openDelivery(parts.client, limits, (error) =>
    app.log.warn({ error: error.message }, "usage was not delivered"),
  );
  app.setErrorHandler((error) => {
    throw inOurWords(error);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [SINGLE, BATCH, PLAIN],
    { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES },
    async (_: FastifyRequest, bytes: Buffer) => readBody(bytes),
  );
  app.addHook("onRequest", async ({ headers }) => {
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity")
      throw unknownType("Content-Encoding", "send the body without a content-encoding");
    if (!delivery.hasRoom()) throw noRoom();
  });
  for (const url of PATHS) {
    app.route({
      method: "POST",
      url,
      config: { access: "ingest", identifiesItself: true },
      schema: SCHEMA,
      // One bad event refuses no batch: `judgeEvents` looks at each.
      validatorCompiler: () => (value) => ({ value }),
      handler: ({ body, headers }, reply) => take(body, headers["content-type"] ?? PLAIN, reply),
    });
  }

  async function take(body: unknown, contentType: string, reply: FastifyReply) {
    if (!isBody(body)) throw emptyBody();
    const { isBatch, events } = eventsOf(body, contentType);
    const feeds = await parts.readFeeds();
    const judged = judgeEvents(events, { feeds, window: parts.window, now: parts.now() });
    if (judged.accepted === 0 && events.length > 0) throw allRejected(judged, isBatch);
    switch (await delivery.deliver(judged.usage, body.bytes)) {
      case "no_room":
        throw noRoom();
      case "not_in_time":
        throw new Problem(
          503,
          "not_acknowledged",
          "Kafka has not acknowledged the events in time; send the same again",
          RETRY,
        );
      case "acknowledged":
        return reply.code(202).send({ accepted: judged.accepted, rejected: judged.rejected });
    }
  }
}

function noRoom(): Problem {
  const detail = "too many events wait for Kafka; none of these was taken, send the same again";
  return new Problem(503, "overloaded", detail, RETRY);
}

function allRejected({ rejected }: Judged, isBatch: boolean): Problem {
  const { field = "", detail = "", reason = "malformed" } = rejected[0] ?? {};
  if (!isBatch) return new Problem(400, reason, detail, { field: field === "" ? "body" : field });
  return new Problem(400, "all_rejected", `no event was taken; the first: ${detail}`, {
    field: field === "" ? "[0]" : `[0].${field}`,
    members: { rejected },
  });
}

function unknownType(field: string, detail: string): Problem {
  return new Problem(415, "unsupported_media_type", detail, { field });
}

/** Fastify's refusals of a body do not say what would be taken. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Problem(
        413,
        "content_too_large",
        "the body has more than 1 MiB; send several with fewer events each",
        { field: "body" },
      );
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return unknownType(
        "Content-Type",
        `the content type must be ${SINGLE}, ${BATCH} or ${PLAIN}`,
      );
    default:
      return error;
  }
}

function isBody(body: unknown): body is Body {
  return typeof body === "object" && body !== null && "bytes" in body && "json" in body;
}

const REFUSED = {
  description: "No JSON, or none of the events can be taken.",
  content: { "application/problem+json": { schema: ingestProblem } },
};

const SCHEMA = {
  summary: "Take usage events",
  description:
    "CloudEvents 1.0 in JSON: one, or a batch of at most 1,000, in at most 1 MiB. The subject is the account, the type the meter, `data.quantity` the quantity, and all other text, numbers and truth values in `data` are dimensions, unless a meter of the catalogue names the type as what feeds it. The identity of an event is its account and its id: the same one sent again counts once. Answered with 202 once Kafka has all that was accepted. What is answered with 503, or not at all, is to be sent again with the same ids and times; what is listed under `rejected` is not.",
  tags: ["usage"],
  consumes: [SINGLE, BATCH, PLAIN],
  body: ingestBody,
  response: { 202: ingestAnswer, 400: REFUSED, ...REFUSALS },
};
