import { MAX_BIGINT, type MicroCredits } from "./credit-line.ts";

/** An overdraft without a limit. */
export const UNLIMITED: MicroCredits = MAX_BIGINT;

/** True for what an overdraft can be: how far below zero holds and allowances may go. */
export function isOverdraft(credits: MicroCredits): boolean {
  return credits >= 0n;
}
