import { z } from "zod";
import { streamEvents } from "../../../shared/contract/stream-events.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import type { Told } from "./follow-topics.ts";
import { type Place, placeText } from "./place.ts";

/** One open stream. */
export interface Listener {
  /** Hears what a topic tells; twice the same is told on once. */
  hear(told: Told): void;
  /** What was missed cannot be told: its reader has to read all again. */
  reload(): void;
  /** Tells where the account stands, and from then on what it hears that is newer. */
  begin(place: Place, told: readonly Told[]): void;
  keepOpen(): void;
  end(): void;
}

/** Where the text of events goes; false: its reader does not keep up and was let go. */
export type Sink = { write(text: string): boolean; end(): void };

interface Part {
  readonly event: keyof typeof streamEvents;
  readonly counter: keyof Place;
  /** Of the topic's records, which have the event's fields and their names. */
  readonly wire: z.core.$ZodType;
}

const { balance, credits, top_up } = streamEvents;
const PARTS: ReadonlyMap<string, Part> = new Map([
  [TOPICS.balances, { event: "balance", counter: "version", wire: balance.in }],
  [TOPICS.credits, { event: "credits", counter: "entries", wire: credits.in }],
  [TOPICS.topUps, { event: "top_up", counter: "topUps", wire: top_up.in }],
]);

/** What is told before the stream has begun waits, as long as it is not more than so. */
const MOST_WAITING = 1_000;

export function openListener(sink: Sink): Listener {
  let place: Place | null = null;
  let waiting: Told[] = [];
  let isLate = false;

  function hear(told: Told): void {
    if (place === null) {
      if (waiting.length < MOST_WAITING) waiting.push(told);
      else isLate = true;
      return;
    }
    const part = PARTS.get(told.topic);
    if (part === undefined || told.sequence <= place[part.counter]) return;
    const { event, counter, wire } = part;
    place = { ...place, [counter]: told.sequence };
    send(event, placeText(place), JSON.stringify(z.encode(wire, told.record)));
  }

  function send(event: string, id: string, data: string): void {
    sink.write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  function reload(): void {
    if (place !== null) send("reload", placeText(place), "{}");
  }

  return {
    hear,
    reload,
    begin(from, told) {
      place = from;
      const missed = waiting;
      waiting = [];
      for (const one of [...told, ...missed]) hear(one);
      if (isLate) reload();
    },
    keepOpen() {
      sink.write(": still here\n\n");
    },
    end() {
      sink.end();
    },
  };
}
