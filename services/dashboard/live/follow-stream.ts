import { createParser } from "eventsource-parser";
import type { StreamNews } from "./live-state.ts";
import { waitBefore } from "./wait-before.ts";

/** The server sends at least a comment every 15 s, so a stream silent for longer than this is dead. */
const SILENCE_MS = 40_000;

/**
 * Follows an account's events until `stop` is aborted. A broken stream is resumed (Last-Event-ID) with
 * growing waits, or immediately when the machine comes online or the page becomes visible.
 */
export async function followStream(
  path: string,
  token: string,
  onNews: (news: StreamNews) => void,
  stop: AbortSignal,
): Promise<void> {
  let lastId: string | null = null;
  let failures = 0;
  while (!stop.aborted) {
    const attempt = new AbortController();
    const end = (): void => attempt.abort();
    stop.addEventListener("abort", end, { once: true });
    // Otherwise a stream may look alive long after the network is gone.
    addEventListener("offline", end, { once: true });
    const receive = (news: StreamNews, id: string | null): void => {
      failures = 0;
      if (id !== null) lastId = id;
      if (news.kind === "event" && news.event === "reload") lastId = id;
      onNews(news);
    };
    const outcome = await readStream(path, token, lastId, receive, attempt);
    stop.removeEventListener("abort", end);
    removeEventListener("offline", end);
    if (stop.aborted) return;
    onNews({ kind: outcome });
    if (outcome === "refused") return;
    await pause(waitBefore(failures, Math.random()), stop);
    failures++;
  }
}

/** Reads one connection to its end. */
async function readStream(
  path: string,
  token: string,
  lastId: string | null,
  receive: (news: StreamNews, id: string | null) => void,
  attempt: AbortController,
): Promise<"lost" | "refused"> {
  let silence = setTimeout(() => attempt.abort(), SILENCE_MS);
  const parser = createParser({
    onEvent: ({ event, data, id }) =>
      receive({ kind: "event", event: event ?? "message", data }, id ?? null),
  });
  try {
    const headers = new Headers({ authorization: `Bearer ${token}`, accept: "text/event-stream" });
    if (lastId !== null) headers.set("last-event-id", lastId);
    const response = await fetch(path, { headers, signal: attempt.signal, cache: "no-store" });
    if ([401, 403, 404].includes(response.status)) return "refused";
    if (!response.ok || response.body === null) return "lost";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENCE_MS);
      parser.feed(read.value);
      receive({ kind: "alive" }, null);
    }
    return "lost";
  } catch {
    return "lost";
  } finally {
    clearTimeout(silence);
    attempt.abort();
  }
}

/** Waits, unless the machine comes online or the page becomes visible. */
async function pause(ms: number, stop: AbortSignal): Promise<void> {
  const woken = new AbortController();
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      if (document.visibilityState === "visible") resolve();
    };
    setTimeout(resolve, ms);
    stop.addEventListener("abort", () => resolve(), { signal: woken.signal });
    addEventListener("online", wake, { signal: woken.signal });
    document.addEventListener("visibilitychange", wake, { signal: woken.signal });
  });
  woken.abort();
}
