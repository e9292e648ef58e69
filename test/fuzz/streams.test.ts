/** What a client reads of the API's streams and answers, however the network cuts them and whatever they are. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readAnswer, UnreadableAnswer } from "../../shared/client/read-answer.ts";
import { readEvents, type ServerSentEvent } from "../../shared/client/server-sent-events.ts";
import { streamEvents } from "../../shared/contract/stream-events.ts";
import { fuzzing } from "./budget.ts";
import { refusalOf, soon } from "./in-time.ts";
import { mutantJsonOf } from "./mutant-values.ts";
import { mutantsOf } from "./mutants.ts";

const event = fc.record({
  id: fc.tuple(fc.nat(), fc.nat()).map(([version, entries]) => `${version}.${entries}.0`),
  event: fc.constantFrom("balance", "credits", "top_up", "reload"),
  data: fc
    .dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue())
    .map((of) => JSON.stringify(of)),
});
const KEEP_OPEN = ": still here\n\n";
const cuts = fc.array(fc.nat(2_000), { maxLength: 8 });

test("events are read as they were sent, wherever the bytes are cut", async () => {
  const sent = fc.array(fc.oneof(event, fc.constant(null)), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sent, cuts, async (all, places) => {
      const bytes = Buffer.from(all.map(textOf).join(""));
      expect(await read(bytes, places)).toEqual(all.filter((each) => each !== null));
    }),
    fuzzing(2),
  );
});

test("changed bytes give what a reader of the standard finds in them, or less, and no error", async () => {
  const sent = fc.array(event, { minLength: 1, maxLength: 4 });
  const bytes = mutantsOf(sent.map((all) => Buffer.from(all.map(textOf).join(""))));
  await fc.assert(
    fc.asyncProperty(bytes, cuts, async (changed, places) => {
      const found = await soon(() => read(changed, places));
      expect(found).toEqual(await read(changed, []));
      const whole = new Set(standard(changed).map(({ data }) => data));
      // Of the line ends of the standard the API writes one.
      if (changed.includes("\r")) return;
      for (const { data } of found)
        expect([...whole].some((text) => text.includes(data))).toBe(true);
    }),
    fuzzing(2),
  );
});

test("an answer is read, or is unreadable at a named place", () => {
  const schema = streamEvents.balance;
  const valid = fc.constant({
    ...{ account_id: "acme", version: "7", granted: "100", position: "30", balance: "70" },
    ...{ ended: "0", held: "10", available: "60" },
    ...{ changed_at: "2026-09-01T00:00:00.000Z" },
  });
  fc.assert(
    fc.property(fc.oneof(mutantJsonOf(valid), fc.json()), (json) => {
      const value: unknown = JSON.parse(json);
      const refusal = refusalOf(UnreadableAnswer, () => readAnswer(schema, value, "balance"));
      if (refusal !== null) {
        expect(refusal.message).toContain(" at balance");
        return;
      }
      const { changedAt, balance } = readAnswer(schema, value, "balance");
      expect([Number.isNaN(changedAt.getTime()), typeof balance]).toEqual([false, "bigint"]);
    }),
    fuzzing(2),
  );
});

function textOf(of: ServerSentEvent | null): string {
  return of === null ? KEEP_OPEN : `id: ${of.id}\nevent: ${of.event}\ndata: ${of.data}\n\n`;
}

function read(bytes: Buffer, cutAt: readonly number[]): Promise<ServerSentEvent[]> {
  const places = [0, ...cutAt.map((at) => at % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  const pieces = places.map((from, at) => new Uint8Array(bytes.subarray(from, places[at + 1])));
  return Array.fromAsync(readEvents(ReadableStream.from(pieces.slice(0, -1))));
}

function standard(bytes: Buffer): EventSourceMessage[] {
  const found: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (of) => found.push(of) });
  parser.feed(bytes.toString());
  return found;
}
