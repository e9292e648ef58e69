/** What is written to Postgres, a few rows by INSERT or many by COPY, is read back exactly as it was. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isStorable } from "../../../shared/core/text/text.ts";
import {
  bigintArray,
  columnsOf,
  textArray,
} from "../../../shared/ledger/postgres/array-literal.ts";
import { inTransaction, type Transaction } from "../../../shared/ledger/postgres/database.ts";
import { insertRows, type RowWriter } from "../../../shared/ledger/postgres/insert-rows.ts";
import { uuidsParameter } from "../../../shared/ledger/postgres/uuid-bytes.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { fuzzing } from "../budget.ts";
import { mutantTextsOf } from "../mutants.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await books.database.query(`
    CREATE TABLE fuzzed (
      place int4, words text, maybe text, document jsonb, small int2, middle int4, large int8,
      at timestamptz, id uuid, texts text[], documents jsonb[], smalls int2[], middles int4[],
      larges int8[], ids uuid[])`);
});

afterAll(() => books?.close());

const LATEST = Date.UTC(9999, 11, 31);
const text = fc
  .oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    mutantTextsOf(fc.constant("a,b\\")),
  )
  .filter(isStorable);
const document = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  .filter((value) => isStorable(JSON.stringify(value)) && !JSON.stringify(value).includes("\\u"))
  .map((value) => JSON.stringify(value));
const int2 = fc.oneof(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), fc.constantFrom(0, -1));
const int4 = fc.oneof(fc.integer(), fc.constantFrom(2 ** 31 - 1, -(2 ** 31)));
const int8 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.maxSafeInteger(),
  fc.constantFrom<bigint | number>(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 2 ** 53 - 1),
);
const uuid = fc.uuid();
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 4 });
const row = fc.record({
  ...{ words: text, maybe: fc.option(text), document, small: int2, middle: int4, large: int8 },
  ...{ at: fc.integer({ min: 0, max: LATEST }), id: uuid, texts: some(text) },
  ...{ documents: some(document), smalls: some(int2), middles: some(int4) },
  ...{ larges: some(int8), ids: some(uuid) },
});
type Row = typeof row extends fc.Arbitrary<infer R> ? R : never;

test("rows of any values, however many", async () => {
  const rows = fc.array(row, { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      const read = await undone(async (transaction) => {
        const into = { table: "fuzzed", columns: COLUMNS };
        expect(await insertRows(transaction, into, [...given.entries()], put)).toBe(given.length);
        return (await transaction.query(READ)).rows;
      });
      expect(read).toEqual(given.map(asRead));
    }),
    fuzzing(4),
  );
});

test("arrays of any texts and numbers", async () => {
  const pair = fc.record({ words: fc.option(text), large: fc.option(int8) });
  await fc.assert(
    fc.asyncProperty(some(pair), some(uuid), async (pairs, uuids) => {
      const bytes = Buffer.from(uuids.join("").replaceAll("-", ""), "hex");
      const { rows } = await books.database.query(
        `SELECT to_jsonb($1::text[]) AS words, ($2::int8[])::text[] AS large,
                to_jsonb($3::text[]) AS again, ($4::int8[])::text[] AS "largeAgain",
                ($5::uuid[])::text[] AS ids`,
        [
          textArray(pairs.map(({ words }) => words)),
          bigintArray(pairs.map(({ large }) => large)),
          ...columnsOf(pairs, "words", "large"),
          uuidsParameter(bytes, [...uuids.keys()]),
        ],
      );
      const words = pairs.map((each) => each.words);
      const large = pairs.map((each) => (each.large === null ? null : String(each.large)));
      expect(rows).toEqual([{ words, large, again: words, largeAgain: large, ids: uuids }]);
    }),
    fuzzing(2),
  );
});

const COLUMNS =
  "place, words, maybe, document, small, middle, large, at, id, texts, documents, smalls, middles, larges, ids";

function put(rows: RowWriter, [place, of]: readonly [number, Row]): void {
  rows.int4(place);
  rows.text(of.words);
  if (of.maybe === null) rows.null();
  else rows.text(of.maybe);
  rows.jsonb(of.document);
  rows.int2(of.small);
  rows.int4(of.middle);
  rows.int8(of.large);
  rows.timestamptz(of.at);
  rows.uuid(of.id);
  rows.textArray(of.texts.length, (index) => of.texts[index] ?? "");
  rows.jsonbArray(of.documents.length, (index) => of.documents[index] ?? "");
  rows.int2Array(of.smalls.length, (index) => of.smalls[index] ?? 0);
  rows.int4Array(of.middles.length, (index) => of.middles[index] ?? 0);
  rows.int8Array(of.larges.length, (index) => of.larges[index] ?? 0);
  rows.uuidArray(of.ids.length, (index) => of.ids[index] ?? "");
}

const READ = `
  SELECT words, maybe, document, small, middle, large::text, at, id::text, texts,
         to_jsonb(documents) AS documents, smalls, middles, larges::text[], ids::text[]
  FROM fuzzed
  ORDER BY place`;

function asRead(of: Row) {
  return {
    ...of,
    ...{
      document: JSON.parse(of.document),
      documents: of.documents.map((each) => JSON.parse(each)),
    },
    ...{ large: String(of.large), larges: of.larges.map(String) },
  };
}

/** What `work` returns, of which nothing stays. */
async function undone<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const done = Promise.withResolvers<T>();
  const rollBack = new Error("undone");
  await inTransaction(books.database, async (transaction) => {
    done.resolve(await work(transaction));
    throw rollBack;
  }).catch((error: unknown) => {
    if (error !== rollBack) done.reject(error);
  });
  return done.promise;
}
