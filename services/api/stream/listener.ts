import { TOPICS } from "../../../shared/core/text/topics.ts";
import { amountsAsText } from "../../../shared/ledger/postgres/amounts-as-text.ts";
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

const INSTANTS = new Set(["changed_at", "posted_at", "due_at"]);

const PART = {
  [TOPICS.balances]: { event: "balance", counter: "version" },
  [TOPICS.credits]: { event: "credits", counter: "entries" },
  [TOPICS.topUps]: { event: "top_up", counter: "topUps" },
} as const;

type Followed = keyof typeof PART;

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
    if (!isFollowed(told.topic)) return;
    const { event, counter } = PART[told.topic];
    if (told.sequence <= place[counter]) return;
    place = { ...place, [counter]: told.sequence };
    send(event, placeText(place), JSON.stringify(told.record, asText));
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

function isFollowed(topic: string): topic is Followed {
  return topic in PART;
}

function asText(key: string, value: unknown): unknown {
  if (INSTANTS.has(key) && typeof value === "number") return new Date(value).toISOString();
  return amountsAsText(key, value);
}
