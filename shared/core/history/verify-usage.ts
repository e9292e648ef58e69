import type { MicroCredits } from "../line/credit-line.ts";
import { price, type RateCard, rateAt } from "../offer/rate-card.ts";
import {
  type EventWindow,
  isSameEvent,
  type ReceivedEvent,
  rejectEvent,
  type UsageEvent,
} from "../usage/usage-event.ts";

/** A usage record as the books hold it: its event, what it cost, and where its stretch starts. */
export interface RecordedUsage extends ReceivedEvent {
  readonly credits: MicroCredits;
  readonly start: MicroCredits;
}

/** A place in the usage topic. */
export interface Place {
  readonly partition: number;
  readonly offset: bigint;
}

/** What a message comes to by the rules that need no clock; `credits` null: it has no price. */
export interface Usage {
  readonly event: ReceivedEvent;
  readonly credits: MicroCredits | null;
}

/** What the books hold of a message. */
export interface Held {
  /** The records that name its place. */
  readonly records: readonly RecordedUsage[];
  /** What its event's identity stands for, wherever that was read. */
  readonly ofIdentity: UsageEvent | null;
  /** Whether it is kept as a dead letter. */
  readonly isDeadLetter: boolean;
}

/** What the topic and the usage records say differently. */
export type UsageDifference =
  /** An event that was read past, and neither metered nor kept as a dead letter. */
  | { readonly kind: "missing_record"; readonly event: ReceivedEvent; readonly credits: bigint }
  /** A message that cannot be metered, and is not kept. */
  | { readonly kind: "not_kept"; readonly place: Place; readonly accountId: string | null }
  /** A record of an event that stands nowhere in the topic. */
  | { readonly kind: "extra_record"; readonly record: RecordedUsage }
  /** A record that costs something else than its price; null: there is none. */
  | {
      readonly kind: "other_price";
      readonly record: RecordedUsage;
      readonly credits: bigint | null;
    }
  /** A record that says something else than its event, or has it on another account. */
  | {
      readonly kind: "other_content" | "other_account";
      readonly record: RecordedUsage;
      readonly event: ReceivedEvent;
      readonly credits: bigint;
    };

/** The same of records: of what should be in one, or of what is. */
export type RecordDifference = Exclude<UsageDifference, { kind: "not_kept" }>;

/** What became of a message, where nothing differs. */
export type Became = "metered" | "repeat" | "dead_letter";

/** The same, whatever the clock shows. */
const ANY_TIME: EventWindow = {
  maxAheadMs: Number.POSITIVE_INFINITY,
  maxBehindMs: Number.POSITIVE_INFINITY,
};

/** What a decoded event comes to, or null where it can never be metered. */
export function usageOf(event: ReceivedEvent, rates: RateCard): Usage | null {
  return rejectEvent(event, 0, ANY_TIME) === null
    ? { event, credits: priceOf(event, rates) }
    : null;
}

/** What an event costs; null: it has no price. */
export function priceOf(
  event: Pick<UsageEvent, "meter" | "quantity" | "occurredAt">,
  rates: RateCard,
): MicroCredits | null {
  const rate = rateAt(rates, event.meter, event.occurredAt);
  return typeof rate === "string" ? null : price(rate, event.quantity);
}

/**
 * Holds what the books have of a message against what it comes to. `usage` null: the message cannot be
 * metered; `isMessage` false: nothing stands at that place. Source: design, "Events" and "Corrections".
 */
export function verifyUsage(
  place: Place,
  { usage, isMessage }: { readonly usage: Usage | null; readonly isMessage: boolean },
  { records, ofIdentity, isDeadLetter }: Held,
): { readonly became: Became | null; readonly differences: readonly UsageDifference[] } {
  const differences: UsageDifference[] = [];
  let became: Became | null = null;
  for (const record of records) {
    const difference = differenceOf(record, usage);
    if (difference !== null) differences.push(difference);
    if (difference?.kind !== "extra_record") became = "metered";
  }
  if (became !== null || !isMessage) return { became, differences };
  if (usage !== null && ofIdentity !== null && isSameEvent(ofIdentity, usage.event)) {
    return { became: "repeat", differences };
  }
  if (isDeadLetter) return { became: "dead_letter", differences };
  if (usage === null || usage.credits === null || ofIdentity !== null) {
    differences.push({ kind: "not_kept", place, accountId: usage?.event.accountId ?? null });
  } else {
    differences.push({ kind: "missing_record", event: usage.event, credits: usage.credits });
  }
  return { became, differences };
}

/** Null: the record is what the message comes to. */
function differenceOf(record: RecordedUsage, usage: Usage | null): UsageDifference | null {
  if (usage === null || record.eventId !== usage.event.eventId) {
    return { kind: "extra_record", record };
  }
  const { event, credits } = usage;
  if (record.accountId !== event.accountId || !isSameEvent(record, event)) {
    if (credits === null) return { kind: "extra_record", record };
    const kind = record.accountId === event.accountId ? "other_content" : "other_account";
    return { kind, record, event, credits };
  }
  return record.credits === credits ? null : { kind: "other_price", record, credits };
}
