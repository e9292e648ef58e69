import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { badRequest, Problem } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, typed } from "../routes/parts.ts";
import { openListener, type Sink } from "./listener.ts";
import type { Listeners } from "./listeners.ts";
import { readPlace } from "./place.ts";
import { readMissed } from "./read-missed.ts";

const KEEP_OPEN_EVERY_MS = 15_000;
/** A stream ends then; its reader opens it again, is asked who it is, and goes on where it was. */
const ENDS_AFTER_MS = 15 * 60_000;
/** A reader that leaves so much unread is let go. */
const MOST_UNREAD = 256 * 1024;
const MOST_STREAMS = 10_000;

/** Live changes of one account as server-sent events. */
export function streamRoutes(
  app: FastifyInstance,
  parts: RouteParts & { readonly listeners: Listeners },
): void {
  const { listeners } = parts;
  const keepOpen = setInterval(() => listeners.keepOpen(), KEEP_OPEN_EVERY_MS);
  app.addHook("preClose", async () => {
    clearInterval(keepOpen);
    listeners.end();
  });

  typed(app).get(
    "/v1/accounts/:account_id/stream",
    {
      // There is nothing to tell of a stream without opening it.
      exposeHeadRoute: false,
      config: { access: "read", byToken: true },
      schema: {
        summary: "Changes as they happen: server-sent events",
        description:
          "Events `balance`, `credits` and `top_up` carry the records of the billing topics; `reload` says that what was missed cannot be told one by one. Send Last-Event-ID to go on after a break.",
        tags: ["accounts"],
        params: accountPath,
        headers: z.object({ "last-event-id": z.string().max(64).optional() }),
        response: {
          200: {
            description: "A stream of events.",
            content: { "text/event-stream": { schema: z.string() } },
          },
          ...REFUSALS,
        },
      },
    },
    async (request, reply) => {
      const last = request.headers["last-event-id"];
      const heard = last === undefined ? null : readPlace(last);
      if (last !== undefined && heard === null) {
        throw badRequest("Last-Event-ID", "is the id of no event of this stream");
      }
      if (listeners.count >= MOST_STREAMS) {
        throw new Problem(503, "too_many_streams", "too many streams are open here", {
          retryAfterSeconds: 10,
        });
      }
      const accountId = request.params.account_id;
      const sink = heldSink(reply);
      const listener = openListener(sink);
      // Heard from now on, so that nothing is lost while the books are read; a reader may leave meanwhile.
      listeners.add(accountId, listener);
      reply.raw.once("close", () => listeners.remove(accountId, listener));
      const missed = await readMissed(parts, accountId, heard);
      if (reply.raw.closed) return reply.hijack();
      openStream(request, reply, parts.now());
      listener.begin(missed.place, missed.told);
      if (missed.reload) listener.reload();
    },
  );
}

function heldSink({ raw }: FastifyReply): Sink {
  return {
    write(text) {
      if (raw.destroyed || raw.writableEnded) return false;
      if (raw.writableLength <= MOST_UNREAD) return raw.write(text) || true;
      raw.destroy();
      return false;
    },
    end: () => void raw.end(),
  };
}

function openStream(request: FastifyRequest, reply: FastifyReply, now: number): void {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
  });
  const { caller } = request;
  const endsIn =
    caller?.kind === "token" ? Math.min(caller.endsAt - now, ENDS_AFTER_MS) : ENDS_AFTER_MS;
  const ending = setTimeout(() => raw.end(), endsIn);
  raw.once("close", () => clearTimeout(ending));
  request.raw.socket.setNoDelay(true);
}
