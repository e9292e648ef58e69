/**
 * Instants as Postgres writes them in UTC (datatype-datetime.html, "Date/Time Output"): a year of four
 * digits or more, a fraction of up to six digits without trailing zeros, BC behind the zone.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseInstant } from "../../../shared/ledger/postgres/parse-instant.ts";
import { type Books, openBooks } from "../../support/books/books.ts";

/** The first instant of Postgres, and the last of a Date. */
const FIRST = Date.UTC(-4712, 0, 1);
const LAST = 8.64e15;

describe("an instant's text", () => {
  test.each<{ text: string; instant: number }>([
    { text: "1970-01-01 00:00:00+00", instant: 0 },
    { text: "2026-11-28 08:26:12.123+00", instant: Date.UTC(2026, 10, 28, 8, 26, 12, 123) },
    { text: "2026-11-28 08:26:12.1+00", instant: Date.UTC(2026, 10, 28, 8, 26, 12, 100) },
    { text: "2024-02-29 23:59:59.9994+00", instant: Date.UTC(2024, 1, 29, 23, 59, 59, 999) },
    { text: "2024-02-29 23:59:59.9995+00", instant: Date.UTC(2024, 2, 1) },
    { text: "10000-01-01 00:00:00+00", instant: Date.UTC(10_000, 0, 1) },
    { text: "4713-01-01 00:00:00+00 BC", instant: FIRST },
    { text: "infinity", instant: Number.POSITIVE_INFINITY },
    { text: "-infinity", instant: Number.NEGATIVE_INFINITY },
  ])("$text is $instant", ({ text, instant }) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test("is read to the millisecond, whatever the year and the fraction", () => {
    const seconds = fc.integer({ min: FIRST / 1000, max: LAST / 1000 - 1 });
    const micros = fc.oneof(
      fc.nat(999_999),
      fc.nat(999).map((ms) => ms * 1000),
      fc.constant(0),
    );
    fc.assert(
      fc.property(seconds, micros, (second, fraction) => {
        const instant = second * 1000 + Math.round(fraction / 1000);
        expect(parseInstant(asPostgres(second, fraction))).toBe(instant);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(["2026-11-28 09:26:12+01", "2026-11-28 08:26:12", "2026-11-28 03:56:12-04:30"])(
    "%s is refused: not from a UTC session",
    (text) => expect(() => parseInstant(text)).toThrow("not UTC"),
  );
});

describe("a row of Postgres", () => {
  let books: Books;
  beforeAll(async () => {
    books = await openBooks();
  });
  afterAll(() => books?.close());

  test("has its instants as written", async () => {
    const instants = [FIRST, -62_135_596_800_000, -1, 0, 1, 951_782_399_999, Date.now(), LAST];
    const { rows } = await books.database.query<{ instant: number }>(
      "SELECT to_timestamp(ms / 1000.0) AS instant FROM unnest($1::bigint[]) AS ms",
      [instants],
    );
    expect(rows.map(({ instant }) => instant)).toEqual(instants);
  });

  test("has counts and amounts as bigint, small numbers as number, dates as text", async () => {
    const { rows } = await books.database.query(
      `SELECT count(*), 9223372036854775807::bigint AS amount, 7 AS small, NULL::bigint AS nothing,
              date '2026-02-28' AS day, 'infinity'::timestamptz AS never`,
    );
    expect(rows).toEqual([
      {
        ...{ count: 1n, amount: 9_223_372_036_854_775_807n, small: 7, nothing: null },
        ...{ day: "2026-02-28", never: Number.POSITIVE_INFINITY },
      },
    ]);
  });
});

function asPostgres(second: number, micros: number): string {
  const [year = "", rest = ""] = new Date(second * 1000).toISOString().split(/(?<=.)(?=-\d\d-)/);
  const isBc = Number(year) < 1;
  const written = String(isBc ? 1 - Number(year) : Number(year)).padStart(4, "0");
  const fraction = String(micros).padStart(6, "0").replace(/0+$/, "");
  const time = rest.slice(0, "-11-28T08:26:12".length).replace("T", " ");
  return `${written}${time}${fraction && `.${fraction}`}+00${isBc ? " BC" : ""}`;
}
