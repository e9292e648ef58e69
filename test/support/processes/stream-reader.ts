import { createParser } from "eventsource-parser";
import { onTestFinished } from "vitest";
import { eventually } from "../eventually.ts";

/** An event as a reader of a stream sees it. */
export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, string | null>>;
}

export interface StreamReader {
  /** Everything received so far. */
  readonly events: readonly StreamEvent[];
  /** Waits for a matching event, and returns it. */
  hears(
    what: string,
    fits: (event: StreamEvent) => boolean,
    withinMs?: number,
  ): Promise<StreamEvent>;
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens an account's stream with a key or token; closed when the test is over. */
export async function openStream(
  origin: string,
  { account, key, lastId }: { readonly account: string; readonly key: string; lastId?: string },
): Promise<StreamReader> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${origin}/v1/accounts/${encodeURIComponent(account)}/stream`, {
    headers: {
      authorization: `Bearer ${key}`,
      ...(lastId === undefined ? {} : { "last-event-id": lastId }),
    },
    signal: stop.signal,
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`the stream was answered with ${response.status}: ${await response.text()}`);
  }
  const events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: ({ id = "", event = "message", data }) =>
      events.push({ id, event, data: JSON.parse(data) }),
  });
  const ended = readAll(response.body, (text) => parser.feed(text));
  ended.catch(() => undefined);
  return {
    events,
    ended,
    close: () => stop.abort(),
    async hears(what, fits, withinMs) {
      await eventually(`the stream tells ${what}`, () => events.some(fits), withinMs);
      const found = events.find(fits);
      if (found === undefined) throw new Error(`the stream does not tell ${what} any more`);
      return found;
    },
  };
}

async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: (text: string) => void,
): Promise<void> {
  for await (const text of body.pipeThrough(new TextDecoderStream())) tell(text);
}
