/** Usage as it is typed into a file, or posted: it is read exactly, or the reason says what is wrong. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeEvents } from "../../services/api/ingest/judge-events.ts";
import { eventsOf, readBody } from "../../services/api/ingest/read-body.ts";
import { Problem } from "../../services/api/problem.ts";
import { readLines } from "../../services/cli/shell/read-lines.ts";
import { parseUsageLine } from "../../services/cli/usage/usage-line.ts";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { toFeedCard } from "../../shared/core/offer/feed-card.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { fuzzing } from "./budget.ts";
import { inTime, refusalOf } from "./in-time.ts";
import { mutantJsonOf, type Value } from "./mutant-values.ts";
import { mutantsOf, mutantTextsOf } from "./mutants.ts";

const NOW = Date.UTC(2026, 8, 1, 12);
const words = [
  ...["9007199254740993", "9223372036854775808", "8640000000000001", "1.5", "1e3", '"x"', "-1"],
  ...['"quantity": 2,', '"__proto__": {},', "[]", "{}", "true", "\\u0000", "\\ud83d"],
];
const USAGE = {
  ...{ account_id: "acme", meter: "calls", quantity: 5, event_id: "e1", source: "chat" },
  ...{ occurred_at: NOW, dimensions: { team: "a" }, quantities: { cached: 3 } },
};
const line = JSON.stringify(USAGE);
const cloudEvent = {
  ...{ specversion: "1.0", id: "e1", source: "chat", type: "calls", subject: "acme" },
  ...{ time: "2026-09-01T11:59:00Z", data: { quantity: 5, team: "a", quantities: { cached: 3 } } },
};
const events = fc.constantFrom<Value>(cloudEvent, [cloudEvent, cloudEvent]);
const body = events.map((of) => JSON.stringify(of));

test("a changed line of a file", () => {
  fc.assert(
    fc.property(
      fc.oneof(mutantTextsOf(fc.constant(line), words), mutantJsonOf(fc.constant(USAGE))),
      (text) => {
        const usage = inTime(() => parseUsageLine(text));
        if (typeof usage === "string") {
          expect(usage).toMatch(/\w/);
          return;
        }
        expect(Number.isNaN(Number(usage.occurredAt ?? 0))).toBe(false);
        for (const each of [usage.quantity, ...Object.values(usage.quantities ?? {})]) {
          expect(BigInt(each) >= 0n && BigInt(each) <= MAX_BIGINT).toBe(true);
        }
      },
    ),
    fuzzing(),
  );
});

test("changed bytes of a file have the same lines wherever they are cut", async () => {
  const file = mutantsOf(fc.constant(Buffer.from(`${line}\n${line}\r\n\nß${line}`)));
  await fc.assert(
    fc.asyncProperty(file, fc.nat(1_000), async (bytes, at) => {
      const cut = at % (bytes.length + 1);
      const lines = await linesOf([bytes]);
      expect(await linesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(lines);
      expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
    }),
    fuzzing(),
  );
});

test("a changed body of events", () => {
  const bytes = fc.oneof(
    mutantTextsOf(body, words).map((text) => Buffer.from(text)),
    mutantJsonOf(events).map((text) => Buffer.from(text)),
    mutantsOf(body.map((text) => Buffer.from(text))),
  );
  const type = fc.constantFrom("application/json", "application/cloudevents+json", ";", "");
  const rules = { feeds: toFeedCard([]), window: DEFAULT_WINDOW, now: NOW };
  fc.assert(
    fc.property(bytes, type, (given, contentType) => {
      const judged = () => judgeEvents(eventsOf(readBody(given), contentType).events, rules);
      const refusal = refusalOf(Problem, judged);
      if (refusal !== null) {
        expect([400, 413]).toContain(refusal.status);
        return;
      }
      for (const { quantity, quantities, accountId } of judged().usage) {
        expect(accountId.isWellFormed()).toBe(true);
        for (const each of [quantity, ...Object.values(quantities)]) {
          expect(each >= 0n && each <= MAX_BIGINT).toBe(true);
        }
      }
    }),
    fuzzing(),
  );
});

function linesOf(chunks: readonly Buffer[]) {
  return Array.fromAsync(readLines(ReadableStream.from(chunks)));
}
