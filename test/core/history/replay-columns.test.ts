/**
 * Random histories of grants, adjustments and usage of three accounts are recorded, and replayed from any part
 * of what was recorded: in columns as event by event.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  historyOf,
  noShortage,
  type RecordedEntry,
} from "../../../shared/core/history/post-recorded.ts";
import { replayColumns, replayUsage } from "../../../shared/core/history/replay-usage.ts";
import type { Account } from "../../../shared/core/line/account.ts";
import { drawDown, grant } from "../../../shared/core/line/credit-line.ts";
import { postEntry } from "../../../shared/core/line/post-entry.ts";
import { toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { groupByAccount } from "../../../shared/core/usage/group-columns.ts";
import { identityOf, type UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import {
  allPlaces,
  columnsOf,
  inOneOrder,
  ordered,
  placesOfEvents,
  possibleRepeats,
  received,
} from "../../support/core/columns-of.ts";
import { accountWith, eventWith, NOON } from "../../support/core/examples.ts";

const RATES = toRates(toRateCard([{ meter: "calls", validFrom: 0, credits: 1n, per: 1n }]));
const IDS = ["acme", "bolt", "cord"].map(toAccountId);
const FIRST: Account[] = IDS.map((accountId) => accountWith({ accountId, threshold: -50n }));

const someAccount = fc.nat(IDS.length - 1);
const someStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ of: someAccount, uses: fc.bigInt(0n, 6n) }) },
  { weight: 1, arbitrary: fc.record({ of: someAccount, grants: fc.bigInt(1n, 12n) }) },
  { weight: 1, arbitrary: fc.record({ of: someAccount, adjusts: fc.bigInt(-6n, -1n) }) },
);
type Step = { of: number } & ({ uses: bigint } | { grants: bigint } | { adjusts: bigint });

/** What of its record a replay has read of each account. */
const someRead = fc.record({ entries: fc.nat(6), starts: fc.boolean() });

test("columns are replayed as their events are, one by one", () => {
  let drawn = 0;
  const check = (before: readonly Step[], steps: readonly Step[], read: readonly Read[]) => {
    const { accounts } = record(before);
    const { events, entries, starts } = record([...before, ...steps]);
    const histories = new Map(
      IDS.map((id, index) => {
        const ofAccount = entries.filter(({ accountId }) => accountId === id);
        const part = ofAccount.slice(0, read[index]?.entries ?? 0);
        return [id, historyOf(part, part.length === ofAccount.length)];
      }),
    );
    const batch = received(events.slice(record(before).events.length));
    const context = () => ({
      ...{ rates: RATES, books: new Map(), carried: new Map(), recorded: new Map() },
      accounts: new Map(accounts.map((account) => [account.accountId, account])),
      mayRepeat: possibleRepeats(batch, new Map(), placesOfEvents(columnsOf(batch))),
      histories,
      starts: read[0]?.starts ? starts : new Map<string, bigint>(),
      short: noShortage(),
    });
    const oneByOne = context();
    const expected = replayUsage(batch, oneByOne);
    const inColumns = context();
    const columns = columnsOf(batch);
    const replayed = replayColumns(groupByAccount(columns, allPlaces(columns)), inColumns);
    drawn += replayed.columns?.events ?? 0;
    expect(inOneOrder(replayed)).toEqual(ordered(expected));
    expect(inColumns.short.ofEntries).toEqual(oneByOne.short.ofEntries);
    expect([...inColumns.short.ofStarts].map(identityOf).sort()).toEqual(
      [...oneByOne.short.ofStarts].map(identityOf).sort(),
    );
  };
  fc.assert(
    fc.property(
      fc.array(someStep, { maxLength: 6 }),
      fc.array(someStep, { maxLength: 30, size: "max" }),
      fc.array(someRead, { minLength: IDS.length, maxLength: IDS.length }),
      check,
    ),
    { numRuns: 2_000 },
  );
  expect(drawn).toBeGreaterThan(0);
});

test("events before the next recorded entry need no object an event", () => {
  const { events, entries } = record([
    { of: 0, uses: 2n },
    { of: 0, uses: 3n },
    { of: 0, uses: 1n },
    { of: 0, grants: 9n },
  ]);
  const batch = received(events.slice(0, 2));
  const columns = columnsOf(batch);
  const replayed = replayColumns(groupByAccount(columns, allPlaces(columns)), {
    ...{ rates: RATES, books: new Map(), carried: new Map(), recorded: new Map() },
    accounts: new Map(FIRST.map((account) => [account.accountId, account])),
    mayRepeat: new Map(),
    histories: new Map([["acme", historyOf(entries, true)]]),
    ...{ starts: new Map(), short: noShortage() },
  });
  expect(replayed.drawn).toEqual([]);
  expect(replayed.columns?.events).toBe(2);
});

type Read = { entries: number; starts: boolean };

/** Plays steps on the line, and records entries and where events started. */
function record(steps: readonly Step[]) {
  const accounts = [...FIRST];
  const events: UsageEvent[] = [];
  const entries: RecordedEntry[] = [];
  const starts = new Map<string, bigint>();
  for (const [index, step] of steps.entries()) {
    const account = accounts[step.of] as Account;
    if ("uses" in step) {
      const { accountId } = account;
      const event = eventWith({ eventId: `e${index}`, accountId, quantity: step.uses });
      events.push(event);
      starts.set(identityOf(event), account.position);
      accounts[step.of] = { ...account, position: account.position + step.uses };
      continue;
    }
    const isGrant = "grants" in step;
    const credits = isGrant ? step.grants : step.adjusts;
    const line = isGrant ? grant(account, credits).line : drawDown(account, -credits);
    const lotId = isGrant ? `lot-${index}` : null;
    const kind = isGrant ? ("grant" as const) : ("adjustment" as const);
    const details = { kind, credits, lotId, reference: `r${index}`, dueAt: NOON };
    const posted = postEntry({ ...account, ...line }, details);
    accounts[step.of] = posted.account;
    entries.push({ ...posted.entry, postedAt: NOON, lot: null });
  }
  return { accounts, events, entries, starts };
}
