import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { UsageClient } from "../../../shared/client/usage-client.ts";
import { ingestAnswer } from "../../../shared/contract/ingest-answer.ts";
import { ingestProblem } from "../../../shared/contract/problem.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { FeedCard } from "../../../shared/core/offer/feed-card.ts";
import type { EventWindow } from "../../../shared/core/usage/usage-event.ts";
import type { Tracing } from "../../../shared/runtime/tracing/tracing.ts";
import { checkAccount } from "../access/check-access.ts";
import { Problem } from "../problem.ts";
import { REFUSALS, securityOf } from "../routes/route.ts";
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
import { traceRequests, traceSending } from "./trace-requests.ts";

const PATHS = ["/v1/events", "/api/v1/events"];

/** Room for 20 full batches. */
const LIMITS: DeliveryLimits = {
  maxWaiting: 20_000,
  maxWaitingBytes: 64 * MAX_BODY_BYTES,
  withinMs: 10_000,
};
const RETRY = { retryAfterSeconds: 2 };
const NOT_IN_TIME = "Kafka has not acknowledged the events in time; send them again";
const TOO_LARGE = "the body is larger than 1 MiB; send fewer events per request";

export interface IngestContext {
  readonly client: Pick<UsageClient, "publish">;
  /** The current feeds of meters. */
  readFeeds(): Promise<FeedCard>;
  now(): Instant;
  /** The window in which metering accepts events. */
  readonly window: EventWindow;
  readonly limits?: Partial<DeliveryLimits>;
  /** Null: requests are not traced. */
  readonly tracing?: Tracing | null;
}

/**
 * Receives usage as CloudEvents 1.0 over HTTP. Accepted events are in Kafka. Events answered with 503,
 * or not at all, are safe to send again unchanged; those refused with 400 or listed under `rejected`
 * must be corrected first.
 */
export async function ingestRoutes(app: FastifyInstance, context: IngestContext): Promise<void> {
  const limits = { ...LIMITS, ...context.limits };
  const delivery = openDelivery(context.client, limits, (error) =>
    app.log.warn({ error: error.message }, "usage could not be published to Kafka"),
  );
  app.setErrorHandler((error) => {
    throw toProblem(error);
  });
  traceRequests(app, context.tracing ?? null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [SINGLE, BATCH, PLAIN],
    { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES },
    async (_: FastifyRequest, bytes: Buffer) => readBody(bytes),
  );
  app.addHook("onRequest", async () => {
    if (!delivery.hasRoom()) throw noRoom();
  });
  for (const url of PATHS) {
    app.route({
      method: "POST",
      url,
      config: { access: "ingest", byRestrictedKey: true, identifiesItself: true },
      schema: SCHEMA,
      // `judgeEvents` validates each event by itself, so one bad event does not refuse the batch.
      validatorCompiler: () => (value) => ({ value }),
      handler: (request, reply) => publish(request, reply),
    });
  }

  async function publish({ body, headers, caller, span }: FastifyRequest, reply: FastifyReply) {
    if (!isBody(body)) throw emptyBody();
    const { isBatch, events } = eventsOf(body, headers["content-type"] ?? PLAIN);
    const feeds = await context.readFeeds();
    const judged = judgeEvents(events, { feeds, window: context.window, now: context.now() });
    for (const { accountId } of judged.usage) checkAccount(caller, accountId);
    if (judged.accepted === 0 && events.length > 0) throw allRejected(judged, isBatch);
    const outcome = await traceSending(span, judged.usage.length, (traceparent) =>
      delivery.deliver(judged.usage, body.bytes, traceparent),
    );
    switch (outcome) {
      case "no_room":
        throw noRoom();
      case "not_in_time":
        throw new Problem(503, "not_acknowledged", NOT_IN_TIME, RETRY);
      case "acknowledged":
        return reply.code(202).send(answerOf(judged));
    }
  }
}

function answerOf({ accepted, untimed, rejected }: Judged) {
  return { accepted, untimed, rejected };
}

function noRoom(): Problem {
  const detail = "too many events are waiting for Kafka; none was accepted, send them again";
  return new Problem(503, "overloaded", detail, RETRY);
}

function allRejected({ rejected }: Judged, isBatch: boolean): Problem {
  const { field = "", detail = "", reason = "malformed" } = rejected[0] ?? {};
  if (!isBatch) return new Problem(400, reason, detail, { field: field === "" ? "body" : field });
  return new Problem(400, "all_rejected", `no event was accepted; the first: ${detail}`, {
    field: field === "" ? "[0]" : `[0].${field}`,
    members: { rejected },
  });
}

const WRONG_TYPE = `the content type must be ${SINGLE}, ${BATCH} or ${PLAIN}`;

/** Replaces Fastify's errors about a body by problems that say what is accepted. */
function toProblem(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Problem(413, "content_too_large", TOO_LARGE, { field: "body" });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Problem(415, "unsupported_media_type", WRONG_TYPE, { field: "Content-Type" });
    default:
      return error;
  }
}

function isBody(body: unknown): body is Body {
  return typeof body === "object" && body !== null && "bytes" in body && "json" in body;
}

const REFUSED = {
  description: "The body is not JSON, or no event can be accepted.",
  content: { "application/problem+json": { schema: ingestProblem } },
};

const SCHEMA = {
  summary: "Publish usage events",
  description:
    "Accepts CloudEvents 1.0 in JSON: one event, or a batch of up to 1,000 in up to 1 MiB, as `application/json`; one also as `application/cloudevents+json`, a batch also as `application/cloudevents-batch+json`. `subject` is the account, `type` the meter, and `data.quantity` the quantity; `data.quantities` has those of further meters, metered with it all or nothing; `data.hold_id` names the hold that it uses; all other strings, numbers and booleans in `data` are dimensions. A meter of the catalogue can define its own feed: then `type` is its event type. An event is identified by its account and its id: sent again, it counts once. The answer 202 means that Kafka has every accepted event. After a 503, or no answer, send the same events again with the same ids and times, but not those listed under `rejected`.",
  security: securityOf({ access: "ingest" }),
  tags: ["usage"],
  // Generated clients choose by the type of a body, so a second type of the same body confuses them.
  consumes: [PLAIN],
  body: ingestBody,
  response: { 202: ingestAnswer, 400: REFUSED, ...REFUSALS },
};
