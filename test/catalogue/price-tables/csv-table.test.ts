/** A CSV of one's own, read by the letter: what is not understood is refused by its line. */
import { describe, expect, test } from "vitest";
import { problemsOf, rowsOf, rowTexts } from "./read-table.ts";

const HEADER = "provider,model,kind,price,per";

test("columns in any order, with bands, currencies and quotes", () => {
  const csv = `price,kind,model,provider,currency,from_context,from_quantity,per
3e-6,input_tokens,swift-4,acme,,,,
"0.0000060",input_tokens,swift-4,acme,USD,200001,,1
0.36,seconds,"Voice, ""loud""",acme,EUR,,0,60

0.20,seconds,"Voice, ""loud""",acme,EUR,,61,60
`;
  expect(rowTexts(csv)).toEqual([
    "acme/swift-4 input_tokens: USD 0.000003 for 1",
    "acme/swift-4 input_tokens, context from 200001: USD 0.000006 for 1",
    'acme/Voice, "loud" seconds: EUR 0.36 for 60',
    'acme/Voice, "loud" seconds, quantity from 61: EUR 0.2 for 60',
  ]);
  expect(rowsOf(csv).map(({ place }) => place.line)).toEqual([2, 3, 4, 6]);
});

test("a byte order mark, CRLF, CR and no end of the last line change nothing", () => {
  const lines = [HEADER, "acme,m,calls,1,1", "acme,n,calls,2,1000"];
  const rows = rowTexts(lines.join("\n"));
  expect(rows).toHaveLength(2);
  for (const end of ["\r\n", "\r", "\n"]) {
    expect(rowTexts(`\uFEFF${lines.join(end)}`)).toEqual(rows);
    expect(rowTexts(lines.join(end) + end)).toEqual(rows);
  }
});

test("a line break in quotes is counted", () => {
  const csv = `${HEADER}\nacme,"a\r\nb",calls,1,1\nacme,m,calls,x,1`;
  expect(problemsOf(csv)).toEqual([
    "2: : the model holds a line break or another control character",
    '4: price: must be a number like 3, 0.0000003 or 3e-7, not "x"',
  ]);
});

test("the same key: once with one price, refused with two", () => {
  const row = (price: string, per: string) => `acme,m,calls,${price},${per}\n`;
  expect(rowTexts(`${HEADER}\n${row("1", "10")}${row("0.1", "1")}`)).toEqual([
    "acme/m calls: USD 1 for 10",
  ]);
  expect(problemsOf(`${HEADER}\n${row("1", "10")}${row("0.11", "1")}`)).toEqual([
    "3: : has another price in line 2",
  ]);
});

test("bands of a kind are all by quantity or all by context", () => {
  const csv = `provider,model,kind,price,from_quantity,from_context
acme,m,calls,1,,
acme,m,calls,2,10,
acme,m,calls,3,,10
acme,n,calls,3,,10`;
  expect(problemsOf(csv)).toEqual([
    "4: : is a band by context, but there is one by quantity in line 3",
  ]);
});

describe("is refused by line and column:", () => {
  test.each([
    ["a price below zero", "acme,m,calls,-1,1", "price: must be 0 or more, without a sign, not -1"],
    ["no price", "acme,m,calls,,1", "price: is missing"],
    ["1e400", "acme,m,calls,1e400,1", "price: must be below 1,000,000,000, not 1e400"],
    [
      "null",
      "acme,m,calls,null,1",
      'price: must be a number like 3, 0.0000003 or 3e-7, not "null"',
    ],
    [
      "a price for 0 units",
      "acme,m,calls,1,0",
      "per: must be a whole number from 1 to 1,000,000,000,000",
    ],
    [
      "a price for 1e6 units",
      "acme,m,calls,1,1e6",
      "per: must be a whole number from 1 to 1,000,000,000,000",
    ],
    ["no provider", ",m,calls,1,1", ": the provider is empty"],
    ["no kind", "acme,m,,1,1", ": the kind is empty"],
    ["a blank before a name", "acme, m,calls,1,1", ": the model begins or ends with a blank"],
    ["a cell too few", "acme,m,calls,1", ": has 4 cells for 5 columns"],
    ["a cell too many", "acme,m,calls,1,1,", ": has 6 cells for 5 columns"],
    [
      "a quote within",
      'acme,m"n,calls,1,1',
      ": has a quote within a cell; put the cell in quotes and double those within",
    ],
    ["a quote left open", 'acme,"m,calls,1,1', ": opens a quote that is never closed"],
    ["text after a quote", 'acme,"m"n,calls,1,1', ": goes on after a closing quote"],
    ["cells without end", `acme,${",".repeat(100)}`, ": has more than 64 cells"],
  ])("%s", (_, row, problem) => {
    expect(problemsOf(`${HEADER}\nacme,ok,calls,1,1\n${row}`)).toEqual([`3: ${problem}`]);
  });

  test("a currency and bands that are none", () => {
    const csv = `provider,model,kind,price,currency,from_quantity,from_context
acme,m,calls,1,usd,,
acme,m,calls,1,USD,1,1
acme,m,calls,1,USD,-1,
acme,m,calls,1,USD,,1.5`;
    expect(problemsOf(csv)).toEqual([
      "2: currency: is not a currency of ISO 4217; write it like EUR",
      "3: from_context: must be empty where from_quantity is not",
      "4: from_quantity: must be a whole number up to 1,000,000,000,000",
      "5: from_context: must be a whole number up to 1,000,000,000,000",
    ]);
  });

  test("columns that there are not, that are there twice, or that are missing", () => {
    expect(problemsOf("provider,modell,kind,price,price,colour\n")).toEqual([
      "1: modell: is no column of a price table; did you mean model?",
      "1: price: is a column twice",
      "1: colour: is no column of a price table; there are provider, model, kind, price, per, currency, from_quantity, from_context",
      "1: model: is missing among the columns",
    ]);
  });
});
