import type { LotData } from "../../../shared/contract/lot.ts";
import { clockText } from "../text/locale.ts";
import { referenceText } from "../text/payment-text.ts";
import { dateText, shortDate, soonText } from "../text/time-text.ts";
import { shownIn } from "../text/zoned-time.ts";

export interface LotOnLine {
  readonly lotId: string;
  readonly source: LotData["source"];
  readonly reference: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly grantedAt: number;
  readonly expiresAt: number | null;
}

export function lotOnLine(lot: LotData): LotOnLine {
  return {
    lotId: lot.lot_id,
    source: lot.source,
    reference: lot.reference,
    start: BigInt(lot.start),
    end: BigInt(lot.end),
    grantedAt: Date.parse(lot.granted_at),
    expiresAt: lot.expires_at === null ? null : Date.parse(lot.expires_at),
  };
}

/** The source of a lot: "October plan", "Top-up, USD 10.00", "Promotion, welcome". */
export function lotName(lot: LotOnLine, zone: string): string {
  switch (lot.source) {
    case "plan":
      return `${monthName(zone, lot.grantedAt)} plan`;
    case "top_up":
      return withReference("Top-up", referenceText(lot.reference));
    case "promotion":
      return withReference("Promotion", lot.reference);
    case "adjustment":
      return withReference("Adjustment", lot.reference);
  }
}

/** When it expires, and whether that is soon enough for a warning. */
export function expiryText(
  { expiresAt }: LotOnLine,
  remaining: bigint,
  zone: string,
  now: number,
): { text: string; isSoon: boolean } {
  if (remaining === 0n) {
    const hasEnded = expiresAt !== null && expiresAt <= now;
    const text = hasEnded ? `ended on ${shortDate(zone, expiresAt)}` : "used up";
    return { text, isSoon: false };
  }
  if (expiresAt === null) return { text: "does not expire", isSoon: false };
  const soon = soonText(zone, expiresAt, now);
  if (soon !== null)
    return { text: `expires ${shortDate(zone, expiresAt)}, ${soon}`, isSoon: true };
  return { text: `expires ${dateText(zone, expiresAt, now)}`, isSoon: false };
}

function withReference(name: string, reference: string): string {
  return reference === "" ? name : `${name}, ${reference}`;
}

function monthName(zone: string, at: number): string {
  return clockText(shownIn(zone, at), { month: "long" });
}
