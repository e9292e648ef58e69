/** - an instant is read as ISO 8601 defines it, or refused */
import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";

describe("an instant", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2026-09-01T12:00:00.5Z", Date.UTC(2026, 8, 1, 12, 0, 0, 500)],
    ["2026-09-01T12:00:00.123999999Z", Date.UTC(2026, 8, 1, 12, 0, 0, 123)],
    ["2026-08-31T23:59:59.999Z", Date.UTC(2026, 8, 1) - 1],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["2026-09-01T12:00:00+05:30", Date.UTC(2026, 8, 1, 6, 30)],
    ["9999-12-31T23:59:59.999Z", Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ])("%s is read", (text, at) => {
    expect(parseInstant(text)).toBe(at);
  });

  test.each([
    ...["", "now", "2026-09-01", "2026-09-01T12:00:00", "2026-13-01T00:00:00Z"],
    ...["2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-09-00T00:00:00Z"],
    ...["2026-09-01T24:00:00Z", "2026-09-01T12:60:00Z", "1969-12-31T23:59:59Z"],
    ...["0000-01-01T00:00:00Z", "+010000-01-01T00:00:00Z", "2026-09-01T12:00:00Z "],
  ])("%j is not an instant", (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

test("the fast path reads the same as the full one", () => {
  const at = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
  fc.assert(
    fc.property(at, fc.constantFrom(0, 1, 3, 6, 9), fc.nat(999_999), (ms, digits, more) => {
      const whole = new Date(ms).toISOString().slice(0, 19);
      const fraction = `${ms % 1000}`.padStart(3, "0") + `${more}`.padStart(6, "0");
      const text = `${whole}${digits === 0 ? "" : `.${fraction.slice(0, digits)}`}Z`;
      expect(parseInstant(text)).toBe(Temporal.Instant.from(text).epochMilliseconds);
    }),
    { numRuns: 2000 },
  );
});
