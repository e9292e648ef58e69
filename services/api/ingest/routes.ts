import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { UsageClient } from "../../../shared/client/usage-client.ts";
import type { Instant } from "../../../shared/core/account.ts";
import type { FeedCard } from "../../../shared/core/feed-card.ts";
import type { EventWindow } from "../../../shared/core/usage-event.ts";
import { type DeliveryLimits, openDelivery } from "./delivery.ts";
import { type Judged, judgeEvents } from "./judge-events.ts";
import { Problem, sendProblem, toProblem } from "./problem.ts";
import {
  BATCH,
  type Body,
  eventsOf,
  MAX_BODY_BYTES,
  PLAIN,
  readBody,
  SINGLE,
} from "./read-body.ts";
import { ingestAnswer, ingestBody, problemDocument } from "./schemas.ts";

const PATHS = ["/v1/events", "/api/v1/events"];

/** Room for 20 batches of the largest size; a request waits for Kafka as long as a client would. */
const LIMITS: DeliveryLimits = {
  maxWaiting: 20_000,
  maxWaitingBytes: 64 * MAX_BODY_BYTES,
  withinMs: 10_000,
};
const RETRY_AFTER_SECONDS = 2;

export interface IngestParts {
  readonly client: Pick<UsageClient, "publish">;
  /** What feeds meters, as of now. */
  readFeeds(): Promise<FeedCard>;
  now(): Instant;
  readonly window: EventWindow;
  readonly limits?: Partial<DeliveryLimits>;
  /** Hears of what failed on our side. */
  onTrouble(error: unknown): void;
}

/**
 * Takes usage as CloudEvents 1.0 over HTTP. What was accepted, Kafka has. A client sends again, with
 * the same ids and times, what is answered with 503 or not at all; what is answered with another 4xx,
 * or listed under `rejected`, is never taken as it is.
 */
export async function ingestRoutes(app: FastifyInstance, parts: IngestParts): Promise<void> {
  const delivery = openDelivery(parts.client, { ...LIMITS, ...parts.limits }, parts.onTrouble);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, _, reply) => {
    const problem = toProblem(error);
    if (problem === null) parts.onTrouble(error);
    return sendProblem(
      reply,
      problem ?? new Problem(500, "the server has failed; its log says how"),
    );
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [SINGLE, BATCH, PLAIN],
    { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES },
    async (_: FastifyRequest, bytes: Buffer) => readBody(bytes),
  );
  app.addHook("onRequest", async ({ headers }) => {
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") throw new Problem(415, "send the body without content-encoding");
    if (!delivery.hasRoom()) throw noRoom();
  });
  for (const url of PATHS) {
    app.route({
      method: "POST",
      url,
      schema: SCHEMA,
      // Each event is judged by itself.
      validatorCompiler: () => (value) => ({ value }),
      handler: ({ body, headers }, reply) => take(body, headers["content-type"] ?? PLAIN, reply),
    });
  }

  async function take(body: unknown, contentType: string, reply: FastifyReply) {
    if (!isBody(body)) throw new Problem(400, "the body is empty; send CloudEvents as JSON");
    const { isBatch, events } = eventsOf(body, contentType);
    const { window } = parts;
    const judged = judgeEvents(events, {
      feeds: await readFeeds(),
      window,
      now: parts.now(),
    });
    if (judged.accepted === 0 && events.length > 0) throw allRejected(judged, isBatch);
    switch (await delivery.deliver(judged.usage, body.bytes)) {
      case "no_room":
        throw noRoom();
      case "not_in_time":
        throw new Problem(503, "Kafka has not acknowledged in time; send the same again", RETRY);
      case "acknowledged":
        return reply.code(202).send({ accepted: judged.accepted, rejected: judged.rejected });
    }
  }

  async function readFeeds(): Promise<FeedCard> {
    try {
      return await parts.readFeeds();
    } catch (error) {
      parts.onTrouble(error);
      throw new Problem(503, "the catalogue cannot be read; send the same again", RETRY);
    }
  }
}

const RETRY = { retryAfterSeconds: RETRY_AFTER_SECONDS };

function noRoom(): Problem {
  return new Problem(
    503,
    "too many events wait for Kafka; none was taken, send the same again",
    RETRY,
  );
}

function allRejected({ rejected }: Judged, isBatch: boolean): Problem {
  const [first] = rejected;
  const { field = "", detail = "" } = first ?? {};
  if (!isBatch) return new Problem(400, detail, { field });
  const inBatch = field === "" ? "[0]" : `[0].${field}`;
  return new Problem(400, `no event was taken; the first: ${detail}`, { field: inBatch, rejected });
}

function isBody(body: unknown): body is Body {
  return typeof body === "object" && body !== null && "bytes" in body && "json" in body;
}

const PROBLEM = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problemDocument } },
});

const SCHEMA = {
  summary: "Take usage events",
  description:
    "CloudEvents 1.0 in JSON, one or a batch of at most 1,000, in at most 1 MiB. Subject is the account, type the meter, `data.quantity` the quantity, all other scalars in `data` dimensions, unless a meter of the catalogue names the type as what feeds it. The identity of an event is account and id: the same one again is taken and counts once. Send again what is answered with 503, with the same ids and times.",
  consumes: [SINGLE, BATCH, PLAIN],
  body: ingestBody,
  response: {
    202: ingestAnswer,
    400: PROBLEM("No JSON, or none of the events can be taken"),
    413: PROBLEM("More than 1 MiB or 1,000 events"),
    415: PROBLEM("Another content type"),
    503: PROBLEM(
      "Too much waits for Kafka, or it has not acknowledged in time; Retry-After says when to send the same again",
    ),
  },
};
