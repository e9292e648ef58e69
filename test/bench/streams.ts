import { createParser } from "eventsource-parser";

/** Concurrently open streams of accounts. */
export interface OpenStreams {
  close(): void;
}

/** Opens the stream of each account and waits for its first event; reports each event. */
export async function openStreams(
  origin: string,
  key: string,
  accounts: readonly string[],
  onEvent: (event: string, data: string) => void,
): Promise<OpenStreams> {
  const stop = new AbortController();
  const begun = accounts.map(async (account) => {
    const response = await fetch(`${origin}/v1/accounts/${account}/stream`, {
      headers: { authorization: `Bearer ${key}` },
      signal: stop.signal,
    });
    if (response.status !== 200 || response.body === null) {
      throw new Error(`the stream of ${account} was answered with ${response.status}`);
    }
    const first = Promise.withResolvers<void>();
    const parser = createParser({
      onEvent({ event = "message", data }) {
        first.resolve();
        onEvent(event, data);
      },
    });
    readAll(response.body, (text) => parser.feed(text)).catch(first.reject);
    await first.promise;
  });
  await Promise.all(begun);
  return { close: () => stop.abort() };
}

async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: (text: string) => void,
): Promise<void> {
  for await (const text of body.pipeThrough(new TextDecoderStream())) tell(text);
}
