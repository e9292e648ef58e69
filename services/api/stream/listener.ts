import { z } from "zod";
import { streamEvents } from "../../../shared/contract/stream-events.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { cursorText, type StreamCursor } from "./cursor.ts";
import type { TopicRecord } from "./follow-topics.ts";

export type Listener = ReturnType<typeof openListener>;

/** Where the text of events goes. */
export type Sink = { write(text: string): void; end(): void };

interface EventKind {
  readonly event: keyof typeof streamEvents;
  readonly counter: keyof StreamCursor;
  /** Encodes the topic's records, whose fields are those of the event. */
  readonly wire: z.core.$ZodType;
}

const { balance, credits, top_up } = streamEvents;
const EVENTS: ReadonlyMap<string, EventKind> = new Map([
  [TOPICS.balances, { event: "balance", counter: "version", wire: balance.in }],
  [TOPICS.credits, { event: "credits", counter: "entries", wire: credits.in }],
  [TOPICS.topUps, { event: "top_up", counter: "topUps", wire: top_up.in }],
]);

const MOST_WAITING = 1_000;

/** One open stream. */
export function openListener(sink: Sink) {
  let cursor: StreamCursor | null = null;
  let waiting: TopicRecord[] = [];
  let isOverrun = false;

  /** Sends a record; before `begin` it waits. Records that were already sent are dropped. */
  function receive(received: TopicRecord): void {
    if (cursor === null) {
      if (waiting.length < MOST_WAITING) waiting.push(received);
      else isOverrun = true;
      return;
    }
    const { topic, sequence, record } = received;
    const kind = EVENTS.get(topic);
    if (kind === undefined || sequence <= cursor[kind.counter]) return;
    cursor = { ...cursor, [kind.counter]: sequence };
    send(kind.event, cursor, JSON.stringify(z.encode(kind.wire, record)));
  }

  function send(event: string, id: StreamCursor, data: string): void {
    sink.write(`id: ${cursorText(id)}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  /** Tells the reader to load everything again, since it missed records. */
  function reload(): void {
    if (cursor !== null) send("reload", cursor, "{}");
  }

  return {
    receive,
    reload,
    /** Starts after a cursor: sends these records, then those that waited. */
    begin(from: StreamCursor, records: readonly TopicRecord[]): void {
      cursor = from;
      for (const record of [...records, ...waiting]) receive(record);
      waiting = [];
      if (isOverrun) reload();
    },
    keepOpen: () => sink.write(": still here\n\n"),
    end: () => sink.end(),
  };
}
