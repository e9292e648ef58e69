import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";
import type { Caller } from "../access/caller.ts";
import type { AccessWatch } from "../access/watch-access.ts";
import { badRequest, Problem, unknownAccount } from "../problem.ts";
import { READ, type RouteContext, route } from "../routes/route.ts";
import { readChanges } from "./changes.ts";
import { readCursor } from "./cursor.ts";
import { openListener, type Sink } from "./listener.ts";
import type { Listeners } from "./listeners.ts";

const KEEP_OPEN_EVERY_MS = 15_000;
const WATCH_ENDS_EVERY_MS = 1_000;
/** A stream then ends; its reader connects again, authenticates, and resumes. */
const ENDS_AFTER_MS = 15 * 60_000;
/** A reader with more unread bytes than this is disconnected. */
const MOST_UNREAD = 256 * 1024;
const MOST_STREAMS = 10_000;
const TOO_MANY = "too many streams are open; try again later";
const TOO_MANY_OF_ACCOUNT =
  "too many streams of this account are open; close some, or try again later";

/** Live changes of one account as server-sent events. */
export function streamRoute(
  app: FastifyInstance,
  context: RouteContext & {
    readonly listeners: Listeners;
    readonly logger: Logger;
    readonly streamsPerAccount: number;
    readonly access: AccessWatch;
    readonly stopping: AbortSignal;
  },
): void {
  const { listeners, access, stopping } = context;
  const keepOpen = setInterval(() => listeners.keepOpen(), KEEP_OPEN_EVERY_MS);
  const watchEnds = setInterval(() => listeners.onTime(context.now()), WATCH_ENDS_EVERY_MS);
  stopping.addEventListener("abort", () => listeners.end(), { once: true });
  app.addHook("preClose", async () => {
    clearInterval(keepOpen);
    clearInterval(watchEnds);
    listeners.end();
  });

  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/stream",
      exposeHeadRoute: false,
      tag: "accounts",
      summary: "Stream changes as server-sent events",
      description:
        "Events `balance`, `credits` and `top_up` have the fields of the records of the billing topics, read from the books; a `balance` comes too when a lot ends, which then no longer counts in it. `reload` means that there is too much to send: load everything again. Send Last-Event-ID to resume after a break.",
      // Some replacements of the browsers' EventSource add parameters of their own.
      query: z.looseObject({}),
      headers: z.object({ "last-event-id": z.string().max(64).optional() }),
      response: {
        200: {
          description: "A stream of events.",
          content: { "text/event-stream": { schema: z.string() } },
        },
      },
    },
    async ({ params: { account_id }, headers, caller }, _, reply) => {
      const lastId = headers["last-event-id"];
      const last = lastId === undefined ? null : readCursor(lastId);
      if (lastId !== undefined && last === null) {
        throw badRequest("Last-Event-ID", "is not the id of an event of this stream");
      }
      requireRoom(listeners, account_id, context.streamsPerAccount);
      const listener = openListener(sinkOf(reply));
      // Learns of changes from now on, so none is lost while the books are read. The reader may leave meanwhile.
      listeners.add(account_id, listener);
      reply.raw.once("close", () => listeners.remove(account_id, listener));
      const [changes] = await readChanges(context, new Map([[account_id, last]]));
      if (listeners.hasEnded) throw stopped();
      if (changes === undefined) throw unknownAccount(account_id);
      if (reply.raw.closed) return reply.hijack();
      openStream(reply, caller, context.now());
      listeners.onRead(changes);
      if (caller !== null) endWithAccess(reply, caller, access);
      const isBehind = listener.begin(last, changes);
      if (isBehind) listeners.onChange(account_id);
      return reply;
    },
  )(app, context);
}

/** Throws a Problem if the process stops, or it or the account has too many streams. */
function requireRoom(listeners: Listeners, accountId: AccountId, perAccount: number): void {
  if (listeners.hasEnded) throw stopped();
  const again = { retryAfterSeconds: 10 };
  if (listeners.countOf(accountId) >= perAccount) {
    throw new Problem(429, "too_many_streams", TOO_MANY_OF_ACCOUNT, again);
  }
  if (listeners.count >= MOST_STREAMS) {
    throw new Problem(503, "too_many_streams", TOO_MANY, again);
  }
}

function stopped(): Problem {
  const detail = "this process is about to stop; connect again";
  return new Problem(503, "unavailable", detail, { retryAfterSeconds: 1 });
}

function endWithAccess({ raw }: FastifyReply, caller: Caller, access: AccessWatch): void {
  const forget = access.add(caller, () => raw.end());
  raw.once("close", forget);
}

function sinkOf({ raw }: FastifyReply): Sink {
  return {
    write(text) {
      if (raw.destroyed || raw.writableEnded) return;
      if (raw.writableLength <= MOST_UNREAD) raw.write(text);
      else raw.destroy();
    },
    end: () => void raw.end(),
  };
}

function openStream(reply: FastifyReply, caller: FastifyRequest["caller"], now: number): void {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
  });
  const endsIn = Math.min((caller?.endsAt ?? Number.POSITIVE_INFINITY) - now, ENDS_AFTER_MS);
  const ending = setTimeout(() => raw.end(), endsIn);
  raw.once("close", () => clearTimeout(ending));
  raw.socket?.setNoDelay(true);
}
