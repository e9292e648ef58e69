/**
 * Random histories of grants, waits and events: late, early, out of order, repeated, conflicting, unfit,
 * across expiries, with amounts up to the largest. Checked for each:
 *
 * - any split of the same events into batches gives the same books: records, line, lots, entries, low
 *   balances with their causes, spend
 * - the books are those of the reference model, which keeps lots one by one and knows no line
 * - the lots tile [0, granted), the remainders sum to max(0, balance)
 * - records and expiries lie end to end on the line from 0 to position
 * - an event of several meters is drawn whole or not at all, its lines end to end
 * - what late events get back of expiries is the sum of the entries that give it back
 * - the draws of an account follow one another; each contains its own events' records and no others
 * - drawing writes to no lot; a lot moves only while it lies wholly ahead of position
 * - entries and crossings count up by one; between two grants a low balance is published at most once
 *   without a need of credits and once with it
 * - every event is metered, a repeat or dead-lettered
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import { balanceOf, MAX_BIGINT, remainingOf } from "../../../shared/core/line/credit-line.ts";
import { tieredPrice } from "../../../shared/core/offer/month-price.ts";
import type { OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import type { MeterVersion } from "../../../shared/core/offer/rate-card.ts";
import { rateTable, type TableTerms } from "../../../shared/core/offer/rate-table.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { drawnLines } from "../../../shared/core/usage/drawn-lines.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { createModel, type Model } from "../../model/reference-model.ts";
import { accountWith, eventWith, someCredits } from "../../support/core/examples.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";
import {
  type AccountRows,
  asLineTells,
  asModelTells,
  type BooksInMemory,
  openBooks,
  spendsOf,
} from "./books-in-memory.ts";

/** A month begins. */
const BEGIN = Date.UTC(1970, 1);
const WINDOW = { maxAheadMs: 20, maxBehindMs: 60 };
const CHAT: TableTerms = {
  dimensions: ["model", "kind"],
  rates: [
    { patterns: ["gpt-*", "input"], credits: 1n, per: 3n },
    { patterns: ["gpt-5", "input"], credits: 3n, per: 2n },
    { patterns: ["gpt-5", null], credits: 4n, per: 1n },
    { patterns: ["gpt-*", null], credits: 7n, per: 5n },
    { patterns: ["gpt-*", null], band: { of: null, from: 6n }, credits: 2n, per: 3n },
    { patterns: ["gpt-4", null], credits: 2n, per: 4n, roundUp: "each_event" },
    { patterns: ["gpt-4", "input"], credits: 2n, per: 4n, roundUp: "each_event" },
  ],
};
const RATES: readonly MeterVersion[] = [
  rateTable({ meter: "chat", validFrom: 0 }, CHAT),
  rateTable({ meter: "chat", validFrom: BEGIN + 20 }, { ...CHAT, rates: CHAT.rates.slice(2) }),

  { meter: "calls", validFrom: 0, credits: 1n, per: 1n },
  { meter: "tokens", validFrom: 0, credits: 3n, per: 2n },
  { meter: "tokens", validFrom: BEGIN + 30, credits: 5n, per: 4n },
  { meter: "minutes", validFrom: BEGIN + 10, credits: 2n, per: 1n },
  { meter: "calls", validFrom: BEGIN + 40, credits: 3n, per: 5n, roundUp: "each_event" },
  { meter: "pages", validFrom: 0, credits: 1n, per: 7n },
  {
    ...{ meter: "pages", validFrom: BEGIN - 30 },
    ...tieredPrice([
      { upTo: 5n, credits: 3n, per: 1n },
      { upTo: 12n, credits: 0n, per: 2n },
      { upTo: null, credits: 2n, per: 3n },
    ]),
  },
  { meter: "minutes", validFrom: BEGIN + 30, credits: 7n, per: 4n, roundUp: "each_month" },
];
/** acme pays the list. */
const OWN_TERMS: readonly OwnTerms[] = [
  discountOf("bolt", null, BEGIN + 5, 1_250),
  discountOf("bolt", "tokens", BEGIN + 15, 3_333),
  discountOf("bolt", "tokens", BEGIN + 35, 0),
  ownRates("cord", "calls", 0, { credits: 2n, per: 3n }),
  discountOf("cord", "calls", BEGIN + 25, 10_000),
  ownRates("cord", "chat", BEGIN + 12, {
    dimensions: ["kind"],
    rates: [
      { patterns: ["input"], credits: 1n, per: 7n },
      { patterns: ["o*"], band: { of: null, from: 8n }, credits: 5n, per: 4n },
    ],
  }),
  ownRates("cord", "minutes", 0, { credits: 1n, per: 1n }),
  ownRates("cord", "minutes", BEGIN + 35, { credits: 5n, per: 3n, roundUp: "each_month" }),
  ownRates(
    "cord",
    "pages",
    BEGIN + 8,
    tieredPrice([
      { upTo: 3n, credits: 1n, per: 7n },
      { upTo: null, credits: 1n, per: 1n },
    ]),
  ),
  // What it does not match counts under the list.
  ownRates("cord", "pages", BEGIN + 30, {
    dimensions: ["model"],
    rates: [{ patterns: ["gpt-5"], credits: 1n, per: 3n }],
  }),
];
const THRESHOLDS = { acme: 0n, bolt: 5n, cord: -3n };

const someQuantity = fc.oneof(
  { weight: 20, arbitrary: fc.bigInt({ min: 0n, max: 15n }) },
  { weight: 1, arbitrary: fc.constant(-1n) },
  { weight: 1, arbitrary: fc.bigInt({ min: MAX_BIGINT - 20n, max: MAX_BIGINT }) },
);
const someAccount = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom("acme", "bolt", "cord") },
  { weight: 1, arbitrary: fc.constantFrom("nobody", "") },
);
const someFurtherMeter = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("calls", "tokens", "chat", "pages") },
  { weight: 1, arbitrary: fc.constantFrom("minutes", "unheard-of", "") },
);
const use = fc.record({
  use: someAccount,
  meter: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("calls", "tokens", "chat", "pages", "minutes") },
    { weight: 2, arbitrary: fc.constantFrom("unheard-of") },
  ),
  quantity: someQuantity,
  sinceNow: fc.integer({ min: -65, max: 25 }),
  model: fc.constantFrom("gpt-5", "gpt-5-mini", "gpt-4", ...["gpt-5", "claude"]),
  further: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: fc.dictionary(someFurtherMeter, someQuantity, { maxKeys: 4 }) },
  ),
  cut: fc.boolean(),
});
const again = fc.record({
  again: fc.nat(30),
  as: fc.constantFrom("same", "same", "more", "elsewhere", "of another meter"),
  cut: fc.boolean(),
});
const grant = fc.record({
  grant: fc.constantFrom("acme", "bolt", "cord"),
  credits: someCredits,
  life: fc.option(fc.integer({ min: 1, max: 70 })),
});
const wait = fc.record({ wait: fc.integer({ min: 1, max: 40 }) });
const someHistory = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: use },
    { weight: 2, arbitrary: again },
    { weight: 4, arbitrary: grant },
    { weight: 2, arbitrary: wait },
  ),
  { maxLength: 40, size: "max" },
);
type Step =
  | {
      use: string;
      meter: string;
      quantity: bigint;
      sinceNow: number;
      model: string;
      further: Record<string, bigint>;
      cut: boolean;
    }
  | { again: number; as: string; cut: boolean }
  | { grant: string; credits: bigint; life: number | null }
  | { wait: number };
type Split = "whole" | "as cut" | "one by one";

describe("whatever happens to accounts", () => {
  test("any split into batches gives the same books", () => {
    hold((history) => {
      const whole = play(history, "whole");
      for (const split of ["as cut", "one by one"] as const) {
        const other = play(history, split);
        for (const id of whole.accountIds()) {
          expect(withoutBatches(other.rowsOf(id))).toEqual(withoutBatches(whole.rowsOf(id)));
        }
        expect(other.repeats()).toBe(whole.repeats());
        expect(byEvent(other.deadLetters)).toEqual(byEvent(whole.deadLetters));
      }
    });
  });

  test("the books are those of the reference model", () => {
    hold((history) => {
      const model = playModel(history);
      const books = play(history, "as cut");
      for (const id of books.accountIds()) {
        expect(asModelTells(books.rowsOf(id))).toEqual(asLineTells(model.account(id)));
      }
      expect(books.repeats()).toBe(model.repeats);
      expect(byEvent(books.deadLetters)).toEqual(byEvent(model.deadLetters));
    });
  });

  test("the lots tile the line and their remainders sum to max(0, balance)", () => {
    hold((history) => {
      play(history, "as cut", (books) => {
        for (const { account, lots } of all(books)) {
          let end = 0n;
          for (const lot of lots) {
            expect(lot.start).toBe(end);
            end = lot.end;
          }
          expect(end).toBe(account.granted);
          const left = lots.reduce((sum, lot) => sum + remainingOf(lot, account.position), 0n);
          expect(left).toBe(balanceOf(account) > 0n ? balanceOf(account) : 0n);
        }
      });
    });
  });

  test("records and what expired lie end to end on the line", () => {
    hold((history) => {
      play(history, "as cut", (books) => {
        for (const { account, drawn, entries } of all(books)) {
          const used = drawn.reduce((sum, { credits }) => sum + credits, 0n);
          const back = drawn.reduce((sum, { givenBack }) => sum + givenBack, 0n);
          const expired = entries
            .filter(({ kind }) => kind === "expiry")
            .reduce((sum, { credits }) => sum - credits, 0n);
          const granted = entries
            .filter(({ kind }) => kind === "grant")
            .reduce((sum, { credits }) => sum + credits, 0n);
          expect(balanceOf(account)).toBe(granted - expired - used + back);
          const reversed = entries.filter(({ kind }) => kind === "reversal");
          expect(reversed.reduce((sum, { credits }) => sum + credits, 0n)).toBe(back);
          let end = 0n;
          for (const { start, credits, givenBack } of drawn) {
            expect(start >= end && givenBack <= credits).toBe(true);
            end = start + credits - givenBack;
          }
          expect(account.position >= end && account.position <= used + expired).toBe(true);
        }
      });
    });
  });

  test("the lines of an event lie end to end on its stretch", () => {
    hold((history) => {
      for (const { drawn } of all(play(history, "as cut"))) {
        for (const event of drawn) {
          const lines = drawnLines(event);
          expect(lines.length).toBe(1 + Object.keys(event.event.quantities).length);
          let end = event.start;
          for (const { start, credits, givenBack } of lines) {
            expect([start, givenBack >= 0n, givenBack <= credits]).toEqual([end, true, true]);
            end = start + credits - givenBack;
          }
          expect(end).toBe(event.start + event.credits - event.givenBack);
        }
      }
    });
  });

  test("drawing writes to no lot, and a lot moves only while it is ahead of position", () => {
    hold((history) => {
      let before = new Map<string, AccountRows>();
      play(history, "as cut", (books) => {
        for (const after of all(books))
          expectOnlyWithdrawn(before.get(after.account.accountId), after);
        before = new Map(all(books).map((rows) => [rows.account.accountId, { ...rows }]));
      });
    });
  });

  test("entries and crossings count up by one, and nothing is published twice between two grants but a need", () => {
    hold((history) => {
      for (const { account, entries, lowBalances } of all(play(history, "as cut"))) {
        const upTo = (count: bigint) =>
          Array.from({ length: Number(count) }, (_, i) => BigInt(i + 1));
        expect(entries.map(({ sequence }) => sequence)).toEqual(upTo(account.entries));
        expect(lowBalances.map(({ crossing }) => crossing)).toEqual(upTo(account.crossings));
        const grants = entries.filter(({ kind }) => kind === "grant").length;
        for (const needed of [true, false]) {
          const published = lowBalances.filter((low) => low.needed === needed);
          expect(published.length).toBeLessThanOrEqual(grants + 1);
        }
        for (const low of lowBalances) expect(low.balance <= low.threshold).toBe(true);
      }
    });
  });

  test("every event is metered, a repeat or dead-lettered", () => {
    hold((history) => {
      const books = play(history, "as cut");
      const metered = all(books).reduce((sum, { drawn }) => sum + drawn.length, 0);
      const sent = history.filter((step) => "use" in step).length;
      const sentAgain = sent === 0 ? 0 : againAfterFirst(history);
      expect(metered + books.repeats() + books.deadLetters.length).toBe(sent + sentAgain);
    });
  });

  test("the spend of each hour and meter is the sum of its records", () => {
    hold((history) => {
      for (const rows of all(play(history, "as cut"))) {
        const lines = rows.drawn.flatMap(({ event, ...drawn }) =>
          drawnLines({ event, ...drawn }).map((line) => ({ ...line, at: event.occurredAt })),
        );
        const spends = spendsOf(rows);
        for (const { hour, meter, events, quantity, credits } of spends) {
          const within = lines.filter(
            (line) => line.meter === meter && hourBegin(line.at) === hour,
          );
          expect(events).toBe(within.length);
          expect(quantity).toBe(within.reduce((sum, line) => sum + line.quantity, 0n));
          expect(credits).toBe(within.reduce((sum, line) => sum + line.credits, 0n));
        }
        expect(spends.reduce((sum, { events }) => sum + events, 0)).toBe(lines.length);
      }
    });
  });

  function hold(check: (history: readonly Step[]) => void): void {
    fc.assert(fc.property(someHistory, check), { numRuns: 250 });
  }
});

/** Feeds a history to the books; "whole" makes one batch of everything between grants and waits. */
function play(
  history: readonly Step[],
  split: Split,
  afterEach: (books: BooksInMemory) => void = () => {},
): BooksInMemory {
  const accounts = Object.entries(THRESHOLDS).map(([id, threshold]) =>
    accountWith({ accountId: toAccountId(id), threshold }),
  );
  const books = openBooks({ rates: RATES, ownTerms: OWN_TERMS, window: WINDOW, accounts });
  let batch: UsageEvent[] = [];
  const flush = (now: Instant) => {
    if (batch.length > 0) books.meter(batch, now);
    batch = [];
    afterEach(books);
  };
  walk(history, {
    event(event, now, cut) {
      batch.push(event);
      if (split === "one by one" || (split === "as cut" && cut)) flush(now);
    },
    grant(accountId, lotId, credits, expiresAt, now) {
      flush(now);
      books.grant(accountId, lotId, credits, expiresAt, now);
      afterEach(books);
    },
    wait: flush,
  });
  return books;
}

function playModel(history: readonly Step[]): Model {
  const model = createModel({ rates: RATES, ownTerms: OWN_TERMS, window: WINDOW });
  for (const [id, threshold] of Object.entries(THRESHOLDS)) model.createAccount(id, { threshold });
  walk(history, {
    event: (event, now) => void model.receive(event, now),
    grant: (accountId, lotId, credits, expiresAt) =>
      void model.grant(accountId, lotId, credits, expiresAt),
    wait: () => {},
  });
  return model;
}

/** Turns steps into events, grants and a clock, the same for books and model. */
function walk(
  history: readonly Step[],
  on: {
    event(event: UsageEvent, now: Instant, cut: boolean): void;
    grant(
      id: string,
      lotId: string,
      credits: bigint,
      expiresAt: Instant | null,
      now: Instant,
    ): void;
    wait(now: Instant): void;
  },
): void {
  const sent: UsageEvent[] = [];
  let now = BEGIN;
  let lots = 0;
  for (const step of history) {
    if ("wait" in step) {
      on.wait(now);
      now += step.wait;
    } else if ("grant" in step) {
      const expiresAt = step.life === null ? null : now + step.life;
      lots += 1;
      on.grant(step.grant, `lot-${lots}`, step.credits, expiresAt, now);
    } else if ("use" in step) {
      const event = usedIn(step, `event-${sent.length + 1}`, now);
      sent.push(event);
      on.event(event, now, step.cut);
    } else {
      const before = sent[step.again % Math.max(sent.length, 1)];
      if (before !== undefined) on.event(saidAgain(before, step.as), now, step.cut);
    }
  }
  on.wait(now);
}

function usedIn(
  { use: accountId, meter, quantity, sinceNow, model, further }: Extract<Step, { use: string }>,
  eventId: string,
  now: Instant,
): UsageEvent {
  const kind = sinceNow % 3 === 0 ? "output" : "input";
  const isChat = meter === "chat" || "chat" in further;
  const dimensions: Record<string, string> = isChat ? { model, kind } : {};
  const occurredAt = now + sinceNow;
  const used = { meter, quantity, quantities: further };
  return eventWith({ eventId, accountId, ...used, occurredAt, dimensions });
}

function saidAgain(event: UsageEvent, as: string): UsageEvent {
  if (as === "more") return { ...event, quantity: event.quantity + 1n };
  if (as === "elsewhere") return { ...event, dimensions: { region: "eu" } };
  const { quantities } = event;
  if (as === "of another meter") return { ...event, quantities: { ...quantities, pages: 99n } };
  const inOtherOrder = Object.fromEntries(Object.entries(quantities).reverse());
  return { ...event, dimensions: { ...event.dimensions }, quantities: inOtherOrder };
}

function againAfterFirst(history: readonly Step[]): number {
  const first = history.findIndex((step) => "use" in step);
  return history.slice(first).filter((step) => "again" in step).length;
}

function all(books: BooksInMemory): AccountRows[] {
  return books.accountIds().map((id) => books.rowsOf(id));
}

/** Lots that moved were wholly ahead of position, and an expiry was posted meanwhile. */
function expectOnlyWithdrawn(before: AccountRows | undefined, after: AccountRows): void {
  if (before === undefined) return;
  const moved = before.lots.filter(
    (lot, i) => lot.start !== after.lots[i]?.start || lot.end !== after.lots[i]?.end,
  );
  for (const lot of moved) expect(lot.start > before.account.position).toBe(true);
  // Late usage of the same batch may have got some of it back.
  const last = after.entries.findLast(({ kind }) => kind !== "reversal");
  if (moved.length > 0) expect(last?.kind).toBe("expiry");
}

/** What must not depend on the split: everything but the account's number of writes. */
function withoutBatches(rows: AccountRows): unknown {
  return { ...rows, account: { ...rows.account, version: null } };
}

/** Unfit events are set aside before the batch, so dead letters are compared event by event. */
function byEvent(letters: Model["deadLetters"]): string[] {
  return letters
    .map(
      ({ event, reason }) =>
        `${event.eventId} x${event.quantity} ${Object.entries(event.quantities).sort()} ${Object.keys(event.dimensions)}: ${reason}`,
    )
    .sort();
}

function hourBegin(instant: Instant): Instant {
  return Math.floor(instant / 3_600_000) * 3_600_000;
}
