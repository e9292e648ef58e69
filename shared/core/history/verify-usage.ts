import type { Instant } from "../line/account.ts";
import { least, type MicroCredits } from "../line/credit-line.ts";
import type { ExpectedCost } from "../line/place-in-draw.ts";
import { costWhenever } from "../offer/month-price.ts";
import { type Cost, rateOf } from "../offer/rate-card.ts";
import { cardOf, type Rates } from "../offer/rates.ts";
import { linesOf } from "../usage/event-lines.ts";
import {
  type EventWindow,
  isSameEvent,
  type ReceivedEvent,
  rejectEvent,
  type UsageEvent,
} from "../usage/usage-event.ts";

/** A usage record in the books: its event, its price, and the start of its stretch. */
export interface RecordedUsage extends ReceivedEvent {
  readonly credits: MicroCredits;
  /** What of its credits expired lots paid, by entries. */
  readonly givenBack: MicroCredits;
  readonly start: MicroCredits;
  /** What each of its lines cost, in their order. */
  readonly lineCredits: readonly MicroCredits[];
}

/** A place in the usage topic. */
export interface Place {
  readonly partition: number;
  readonly offset: bigint;
}

/** A valid event and what each of its lines may cost; null: one of them has no price. */
export interface Usage {
  readonly event: ReceivedEvent;
  readonly costs: readonly Cost[] | null;
}

/** What an event should cost, and each of its lines. */
export interface ExpectedCosts extends ExpectedCost {
  readonly costs: readonly Cost[];
}

/** What the books have for a message. */
export interface Held {
  /** The records with its partition and offset. */
  readonly records: readonly RecordedUsage[];
  /** The recorded event of its identity, from any place. */
  readonly ofIdentity: UsageEvent | null;
  /** True if it is stored as a dead letter. */
  readonly isDeadLetter: boolean;
  /** Of events that occurred before it, records may be past retention; null: all are kept. */
  readonly pastUntil: Instant | null;
}

/** A difference between the topic and the books. */
export type UsageDifference =
  /** An event that was read, but neither metered nor stored as a dead letter. */
  | ({ readonly kind: "missing_record"; readonly event: ReceivedEvent } & ExpectedCosts)
  /** A message that cannot be metered, and is not stored as a dead letter. */
  | { readonly kind: "not_kept"; readonly place: Place; readonly accountId: string | null }
  /** A record without an event in the topic. */
  | { readonly kind: "extra_record"; readonly record: RecordedUsage }
  /** A record with a wrong price. */
  | ({ readonly kind: "other_price"; readonly record: RecordedUsage } & (
      | ExpectedCosts
      | { readonly credits: null }
    ))
  /** A record with other content than its event, or on another account. */
  | ({
      readonly kind: "other_content" | "other_account";
      readonly record: RecordedUsage;
      readonly event: ReceivedEvent;
    } & ExpectedCosts);

/** The differences about usage records. */
export type RecordDifference = Exclude<UsageDifference, { kind: "not_kept" }>;

/** The fate of a message without differences; `past`: it may repeat an event that is past retention. */
export type Became = "metered" | "repeat" | "dead_letter" | "past";

/** Verification does not depend on the clock. */
const ANY_TIME: EventWindow = {
  maxAheadMs: Number.POSITIVE_INFINITY,
  maxBehindMs: Number.POSITIVE_INFINITY,
};

/** A decoded event with its price; null: it can never be metered. */
export function usageOf(event: ReceivedEvent, rates: Rates): Usage | null {
  return rejectEvent(event, 0, ANY_TIME) === null ? { event, costs: costsOf(event, rates) } : null;
}

/** What each line of an event may cost; null: one of them has no price. */
export function costsOf(event: UsageEvent, rates: Rates): readonly Cost[] | null {
  const costs: Cost[] = [];
  const card = cardOf(rates, event.accountId);
  for (const line of linesOf(event)) {
    const rate = rateOf(card, line.meter === event.meter ? event : { ...event, ...line });
    if (rate === null) return null;
    costs.push(costWhenever(rate, line.quantity));
  }
  return costs;
}

function expected(costs: readonly Cost[]): ExpectedCosts {
  const credits = costs.reduce((sum, { least }) => sum + least, 0n);
  const orMore = costs.reduce((sum, { least, most }) => sum + most - least, 0n);
  return { credits, orMore, costs };
}

/** What each line cost of an event that cost so much; of those that may have cost more, the first ones did. */
export function sharedOut(costs: readonly Cost[], credits: MicroCredits): MicroCredits[] {
  let more = costs.reduce((left, { least }) => left - least, credits);
  return costs.map((cost) => {
    const added = more > 0n ? least(cost.most - cost.least, more) : 0n;
    more -= added;
    return cost.least + added;
  });
}

/**
 * Compares what the books have for a message with what it should become. `usage` null: it cannot be
 * metered; `isMessage` false: the offset has no message. Source: design, "Events" and "Corrections".
 */
export function verifyUsage(
  place: Place,
  { usage, isMessage }: { readonly usage: Usage | null; readonly isMessage: boolean },
  held: Held,
): { readonly became: Became | null; readonly differences: readonly UsageDifference[] } {
  const differences: UsageDifference[] = [];
  let became: Became | null = null;
  for (const record of held.records) {
    const difference = differenceOf(record, usage);
    if (difference !== null) differences.push(difference);
    if (difference?.kind !== "extra_record") became = "metered";
  }
  if (became !== null || !isMessage) return { became, differences };
  const without = withoutRecord(place, usage, held);
  if (typeof without === "string") return { became: without, differences };
  return { became: null, differences: [...differences, without] };
}

/** What became of a message that has no record. */
function withoutRecord(
  place: Place,
  usage: Usage | null,
  { ofIdentity, isDeadLetter, pastUntil }: Held,
): Became | UsageDifference {
  if (usage !== null && ofIdentity !== null && isSameEvent(ofIdentity, usage.event)) {
    return "repeat";
  }
  if (isDeadLetter) return "dead_letter";
  if (usage !== null && pastUntil !== null && usage.event.occurredAt < pastUntil) return "past";
  if (usage === null || usage.costs === null || ofIdentity !== null) {
    return { kind: "not_kept", place, accountId: usage?.event.accountId ?? null };
  }
  return { kind: "missing_record", event: usage.event, ...expected(usage.costs) };
}

/** Null: the record is right. */
function differenceOf(record: RecordedUsage, usage: Usage | null): UsageDifference | null {
  if (usage === null || record.eventId !== usage.event.eventId) {
    return { kind: "extra_record", record };
  }
  const { event, costs } = usage;
  if (record.accountId !== event.accountId || !isSameEvent(record, event)) {
    if (costs === null) return { kind: "extra_record", record };
    const kind = record.accountId === event.accountId ? "other_content" : "other_account";
    return { kind, record, event, ...expected(costs) };
  }
  if (costs === null) return { kind: "other_price", record, credits: null };
  const isRight = record.lineCredits.every((credits, line) => mayCost(credits, costs[line]));
  return isRight ? null : { kind: "other_price", record, ...expected(costs) };
}

/** True for what a line may cost. */
function mayCost(credits: MicroCredits, cost: Cost | undefined): boolean {
  return cost !== undefined && credits >= cost.least && credits <= cost.most;
}
