import { setTimeout as sleep } from "node:timers/promises";
import { streamEvents } from "../contract/stream-events.ts";
import type { StreamEvent } from "./api-operations.ts";
import { type ApiClientOptions, ApiProblem, callApi } from "./api-request.ts";
import { readAnswer, UnreadableAnswer } from "./read-answer.ts";
import { readEvents, type ServerSentEvent } from "./server-sent-events.ts";

/** The server writes at least every 15 seconds, so a stream that is silent for longer is dead. */
const SILENCE_MS = 40_000;
const LEAST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Follows an account until `signal` is aborted or the loop is left. A broken stream is opened again where
 * it was, with growing waits. Throws ApiProblem if the API refuses.
 */
export async function* followAccount(
  options: ApiClientOptions,
  path: string,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<StreamEvent> {
  let lastId: string | null = null;
  let waitMs = LEAST_WAIT_MS;
  while (!signal.aborted) {
    try {
      for await (const event of readStream(options, path, lastId, signal)) {
        waitMs = LEAST_WAIT_MS;
        lastId = event.id;
        const known = toStreamEvent(event);
        if (known !== null) yield known;
      }
    } catch (error) {
      if (isPermanent(error)) throw error;
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** True if a retry would fail in the same way. */
function isPermanent(error: unknown): boolean {
  if (error instanceof UnreadableAnswer) return true;
  return error instanceof ApiProblem && error.status < 500 && error.status !== 429;
}

/** The events of one connection. */
async function* readStream(
  options: ApiClientOptions,
  path: string,
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const attempt = new AbortController();
  const end = () => attempt.abort();
  let silence = setTimeout(end, SILENCE_MS);
  const watched = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(bytes, controller) {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
      controller.enqueue(bytes);
    },
  });
  try {
    const { body } = await callApi(options, {
      ...{ method: "GET", path, signal: AbortSignal.any([signal, attempt.signal]) },
      headers: {
        accept: "text/event-stream",
        ...(lastId === null ? {} : { "last-event-id": lastId }),
      },
    });
    if (body !== null) yield* readEvents(body.pipeThrough(watched));
  } finally {
    clearTimeout(silence);
    end();
  }
}

/** Null: an event of a newer server. */
function toStreamEvent({ event, data }: ServerSentEvent): StreamEvent | null {
  const read: unknown = JSON.parse(data);
  switch (event) {
    case "balance":
      return { event, data: readAnswer(streamEvents.balance, read, event) };
    case "credits":
      return { event, data: readAnswer(streamEvents.credits, read, event) };
    case "top_up":
      return { event, data: readAnswer(streamEvents.top_up, read, event) };
    case "reload":
      return { event, data: readAnswer(streamEvents.reload, read, event) };
    default:
      return null;
  }
}
