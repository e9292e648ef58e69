/**
 * The bytes of COPY ... (FORMAT binary) as Postgres documents them (sql-copy.html, "Binary Format") and
 * as its types' send functions write them: all big-endian, a field's length before it, -1 for null. The
 * tests in test/pipeline check that a real Postgres reads them.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { CopyBuffer } from "../../../shared/ledger/postgres/copy-buffer.ts";

const HEADER = "5047434f50590aff0d0a00 00000000 00000000";
const TRAILER = "ffff";
const FIRST_BUFFER = 8 << 10;
const MICROS_AT_2000 = 946_684_800_000_000n;

describe("a copy", () => {
  test("of no rows is the header and the trailer", () => {
    expect(new CopyBuffer().finish()).toEqual(hex(`${HEADER} ${TRAILER}`));
  });

  test("of rows starts each row with its number of fields, and each field with its length", () => {
    const rows = new CopyBuffer();
    rows.startRow(2);
    rows.text("ab");
    rows.null();
    rows.startRow(1);
    rows.int4(-2);
    expect(rows.finish()).toEqual(
      hex(`${HEADER} 0002 00000002 6162 ffffffff 0001 00000004 fffffffe ${TRAILER}`),
    );
  });
});

describe("a text is its bytes in UTF-8", () => {
  test.each([
    { text: "", bytes: "00000000" },
    { text: "calls", bytes: "00000005 63616c6c73" },
    { text: "ß", bytes: "00000002 c39f" },
    { text: "客", bytes: "00000003 e5aea2" },
    { text: "\u{1F600}", bytes: "00000004 f09f9880" },
    { text: "a\tb\n\\N", bytes: "00000006 6109620a5c4e" },
  ])("$text", ({ text, bytes }) => {
    expect(fieldOf((rows) => rows.text(text))).toEqual(hex(bytes));
  });
});

test("a jsonb is its version, 1, and its text", () => {
  expect(fieldOf((rows) => rows.jsonb(`{"k":"ß"}`))).toEqual(
    hex("0000000b 01 7b226b223a22c39f227d"),
  );
});

test("an array of texts is one dimension from 1 on, without nulls, of type text (25)", () => {
  expect(fieldOf((rows) => rows.textArray(3, (index) => ["a", "", "ß"][index] ?? ""))).toEqual(
    hex("00000023 00000001 00000000 00000019 00000003 00000001 00000001 61 00000000 00000002 c39f"),
  );
  expect(fieldOf((rows) => rows.textArray(0, () => ""))).toEqual(
    hex("00000014 00000001 00000000 00000019 00000000 00000001"),
  );
});

describe("an int8 is eight bytes, two's complement", () => {
  test.each([
    { value: 0n, bytes: "0000000000000000" },
    { value: 1n, bytes: "0000000000000001" },
    { value: -1n, bytes: "ffffffffffffffff" },
    { value: 2n ** 53n + 1n, bytes: "0020000000000001" },
    { value: MAX_BIGINT, bytes: "7fffffffffffffff" },
    { value: -MAX_BIGINT - 1n, bytes: "8000000000000000" },
  ])("$value", ({ value, bytes }) => {
    expect(fieldOf((rows) => rows.int8(value))).toEqual(hex(`00000008 ${bytes}`));
  });

  test("the same for a number, as for the integer that it is", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const field = fieldOf((rows) => rows.int8(value));
        expect(field).toEqual(fieldOf((rows) => rows.int8(BigInt(value))));
      }),
    );
  });

  test.each([MAX_BIGINT + 1n, 2 ** 53, 0.5, Number.NaN])(
    "one that does not fit is an error, not another number: %s",
    (value) => {
      expect(() => fieldOf((rows) => rows.int8(value))).toThrow(RangeError);
    },
  );
});

describe("an int4 is four bytes", () => {
  test.each([
    { value: 0, bytes: "00000000" },
    { value: 1000, bytes: "000003e8" },
    { value: -1, bytes: "ffffffff" },
    { value: 2 ** 31 - 1, bytes: "7fffffff" },
  ])("$value", ({ value, bytes }) => {
    expect(fieldOf((rows) => rows.int4(value))).toEqual(hex(`00000004 ${bytes}`));
  });
});

describe("a timestamptz is the microseconds since 2000", () => {
  test.each([
    { at: "2000-01-01T00:00:00.000Z", bytes: "0000000000000000" },
    { at: "2000-01-01T00:00:00.001Z", bytes: "00000000000003e8" },
    { at: "1999-12-31T23:59:59.999Z", bytes: "fffffffffffffc18" },
    { at: "1999-12-31T00:00:00.000Z", bytes: "ffffffebe228a000" },
    { at: "1970-01-01T00:00:00.000Z", bytes: "fffca2fec4c82000" },
  ])("$at", ({ at, bytes }) => {
    expect(fieldOf((rows) => rows.timestamptz(Date.parse(at)))).toEqual(hex(`00000008 ${bytes}`));
  });

  test("exactly, a hundred thousand days either side", () => {
    const limit = 100_000 * 86_400_000;
    fc.assert(
      fc.property(fc.integer({ min: -limit, max: limit }), (instant) => {
        const field = fieldOf((rows) => rows.timestamptz(instant));
        expect(field.readBigInt64BE(4)).toBe(BigInt(instant) * 1000n - MICROS_AT_2000);
      }),
    );
  });
});

test("a copy taken in pieces is the same bytes", () => {
  const whole = new CopyBuffer();
  const pieces = new CopyBuffer();
  const taken: Buffer[] = [];
  for (let i = 0; i < 1_000; i += 1) {
    for (const rows of [whole, pieces]) {
      rows.startRow(2);
      rows.text("x".repeat(i));
      rows.int8(BigInt(i));
    }
    if (i % 7 === 0) taken.push(pieces.take());
  }
  taken.push(pieces.finish());
  expect(Buffer.concat(taken).equals(whole.finish())).toBe(true);
});

describe("a copy that outgrows its buffer", () => {
  test("keeps every row: three megabytes of them", () => {
    const rows = new CopyBuffer();
    const expected: Buffer[] = [hex(HEADER)];
    for (let i = 0; i < 30_000; i += 1) {
      rows.startRow(2);
      rows.text(`event-${i}-${"ß".repeat(40)}`);
      rows.int8(BigInt(i));
      const text = Buffer.from(`event-${i}-${"ß".repeat(40)}`);
      expected.push(hex("0002"), length(text.length), text, length(8), int8(BigInt(i)));
    }
    const bytes = rows.finish();
    expect(bytes.length).toBeGreaterThan(3 << 19);
    expect(bytes.equals(Buffer.concat([...expected, hex(TRAILER)]))).toBe(true);
  });

  test("with one text larger than twice the buffer keeps it", () => {
    const text = "客".repeat(1 << 20);
    const field = fieldOf((rows) => rows.text(text));
    expect(field.readInt32BE(0)).toBe(3 << 20);
    expect(field.subarray(4).equals(Buffer.from(text))).toBe(true);
  });

  test("in any kind of field, wherever the first buffer ends, keeps what follows", () => {
    const header = hex(HEADER).length;
    for (let short = 0; short <= 14; short += 1) {
      // The text ends `short` bytes before the end of the first buffer.
      const text = "x".repeat(FIRST_BUFFER - header - 4 - short);
      const rows = new CopyBuffer();
      rows.text(text);
      rows.text("");
      rows.jsonb("{}");
      rows.textArray(1, () => "a");
      rows.timestamptz(946_684_800_000);
      rows.startRow(1);
      rows.null();
      const after = rows.finish().subarray(header + 4 + text.length);
      expect(after).toEqual(
        hex(
          `00000000 00000003 01 7b7d 00000019 00000001 00000000 00000019 00000001 00000001 00000001 61 00000008 0000000000000000 0001 ffffffff ${TRAILER}`,
        ),
      );
    }
  });
});

function fieldOf(write: (rows: CopyBuffer) => void): Buffer {
  const rows = new CopyBuffer();
  write(rows);
  return rows.finish().subarray(hex(HEADER).length, -hex(TRAILER).length);
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function length(bytes: number): Buffer {
  const field = Buffer.alloc(4);
  field.writeInt32BE(bytes);
  return field;
}

function int8(value: bigint): Buffer {
  const field = Buffer.alloc(8);
  field.writeBigInt64BE(value);
  return field;
}
