import type { FeeCredits } from "../../core/month/fee.ts";

/** A fee's credits as `payment.brings` stores them: in JSON amounts are decimal strings. */
export type StoredFeeCredits = Omit<FeeCredits, "credits"> & { readonly credits: string };

/** The credits that a fee's payment brings; null: none wait for it. */
export function toFeeCredits(stored: StoredFeeCredits | null): FeeCredits | null {
  return stored && { ...stored, credits: BigInt(stored.credits) };
}
