import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { ExpectedCost } from "../line/place-in-draw.ts";
import { type Cost, costOf, type RateCard, rateOf } from "../offer/rate-card.ts";
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
}

/** A place in the usage topic. */
export interface Place {
  readonly partition: number;
  readonly offset: bigint;
}

/** A valid event and what it may cost; null: it has no price. */
export interface Usage {
  readonly event: ReceivedEvent;
  readonly cost: Cost | null;
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
  | ({ readonly kind: "missing_record"; readonly event: ReceivedEvent } & ExpectedCost)
  /** A message that cannot be metered, and is not stored as a dead letter. */
  | { readonly kind: "not_kept"; readonly place: Place; readonly accountId: string | null }
  /** A record without an event in the topic. */
  | { readonly kind: "extra_record"; readonly record: RecordedUsage }
  /** A record with a wrong price. */
  | ({ readonly kind: "other_price"; readonly record: RecordedUsage } & (
      | ExpectedCost
      | { readonly credits: null }
    ))
  /** A record with other content than its event, or on another account. */
  | ({
      readonly kind: "other_content" | "other_account";
      readonly record: RecordedUsage;
      readonly event: ReceivedEvent;
    } & ExpectedCost);

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
export function usageOf(event: ReceivedEvent, rates: RateCard): Usage | null {
  return rejectEvent(event, 0, ANY_TIME) === null ? { event, cost: costAt(event, rates) } : null;
}

/** What an event may cost; null: it has no price. */
export function costAt(
  event: Pick<UsageEvent, "meter" | "quantity" | "occurredAt" | "dimensions">,
  rates: RateCard,
): Cost | null {
  const rate = rateOf(rates, event);
  return rate === null ? null : costOf(rate, event.quantity);
}

function expected({ least, most }: Cost): ExpectedCost {
  return { credits: least, orOneMore: most > least };
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
  if (usage === null || usage.cost === null || ofIdentity !== null) {
    return { kind: "not_kept", place, accountId: usage?.event.accountId ?? null };
  }
  return { kind: "missing_record", event: usage.event, ...expected(usage.cost) };
}

/** Null: the record is right. */
function differenceOf(record: RecordedUsage, usage: Usage | null): UsageDifference | null {
  if (usage === null || record.eventId !== usage.event.eventId) {
    return { kind: "extra_record", record };
  }
  const { event, cost } = usage;
  if (record.accountId !== event.accountId || !isSameEvent(record, event)) {
    if (cost === null) return { kind: "extra_record", record };
    const kind = record.accountId === event.accountId ? "other_content" : "other_account";
    return { kind, record, event, ...expected(cost) };
  }
  if (cost === null) return { kind: "other_price", record, credits: null };
  const isRight = record.credits >= cost.least && record.credits <= cost.most;
  return isRight ? null : { kind: "other_price", record, ...expected(cost) };
}
