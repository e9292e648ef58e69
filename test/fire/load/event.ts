/** A usage event as its schema has it. */
export interface Usage {
  readonly event_id: string;
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurred_at: bigint;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Left out: none. */
  readonly hold_id?: string;
}

/** What the generator means to publish. */
export type Planned = PlannedUsage | PlannedBytes;

export interface PlannedUsage {
  readonly kind: UsageKind;
  readonly usage: Usage;
}

/** Bytes that are no event. */
interface PlannedBytes {
  readonly kind: "garbage" | "truncated" | "unknown_schema";
  readonly key: string;
  readonly bytes: Buffer;
}

export type UsageKind =
  | "fresh"
  | "late"
  | "skewed"
  | "repeat"
  | "conflict"
  | "unknown_account"
  | "unknown_meter"
  | "negative_quantity"
  | "too_far_ahead"
  | "too_long_ago";

export function isUsage(planned: Planned): planned is PlannedUsage {
  return "usage" in planned;
}
