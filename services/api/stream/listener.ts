import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";
import type { Changes } from "./changes.ts";
import { cursorText, type StreamCursor } from "./cursor.ts";

export type Listener = ReturnType<typeof openListener>;

/** The open response. */
export type Sink = { write(text: string): void; end(): void };

/** One open stream. */
export function openListener(sink: Sink) {
  let cursor: StreamCursor | null = null;
  let isBehind = false;
  let shown: MicroCredits | null = null;

  /** Sends what is new to it. */
  function receive({ events, cursor: newest, balance }: Changes): void {
    if (cursor === null) {
      isBehind = true;
      return;
    }
    // A lot has ended since: the state is the same, and its balance is not.
    const isOther = shown !== null && shown !== balance;
    for (const { event, counter, sequence, data } of events) {
      const isNew = sequence > cursor[counter];
      if (!isNew && !(event === "balance" && sequence === cursor[counter] && isOther)) continue;
      cursor = { ...cursor, [counter]: sequence };
      send(event, cursor, data);
    }
    shown = balance;
    // There was too much to send one by one, or the books were restored to an earlier state.
    if (cursorText(cursor) !== cursorText(newest)) {
      cursor = newest;
      send("reload", cursor, "{}");
    }
  }

  function send(event: string, id: StreamCursor, data: string): void {
    sink.write(`id: ${cursorText(id)}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  return {
    /** What it has sent; null before `begin`. */
    cursor: () => cursor,
    receive,
    /**
     * Starts after a cursor (null: with the state alone) and sends what is new. True: it received changes
     * before, which may be newer and have to be read again.
     */
    begin(last: StreamCursor | null, changes: Changes): boolean {
      cursor = { ...(last ?? changes.cursor), version: changes.cursor.version - 1n };
      receive(changes);
      return isBehind;
    },
    keepOpen: () => sink.write(": still here\n\n"),
    /** Its answer is left to whoever reads the books for it, if they have not been read yet. */
    end(): void {
      if (cursor !== null) sink.end();
    },
  };
}
