import { Temporal } from "temporal-polyfill";
import type { Instant } from "./account.ts";

const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Milliseconds, or null when `text` is not ISO 8601 with an offset, of the years 1970 to 9999. */
export function parseInstant(text: string): Instant | null {
  try {
    const instant = Temporal.Instant.from(text).epochMilliseconds;
    return instant >= 0 && instant <= LAST_INSTANT ? instant : null;
  } catch {
    return null;
  }
}
