/** A file that is none of the formats is refused as a whole. */
import { describe, expect, test } from "vitest";
import { MAX_TABLE_BYTES } from "../../../shared/catalogue/price-tables/read-price-table.ts";
import { fixture, problemsOf, rowTexts } from "./read-table.ts";

const NONE =
  "1: : is none of the formats: LiteLLM's model_prices_and_context_window.json, models.dev's api.json, or a CSV whose first line names its columns";

test.each([
  ["nothing", ""],
  ["blanks", " \n\n"],
  ["an empty object", "{}"],
  ["a list", '[{"litellm_provider": "acme", "input_cost_per_token": 1}]'],
  ["other JSON", '{"plans": {"pro": {"credits": 1}}}'],
  ["a catalogue", "meters:\n  calls: { credits: 1, per: 1 }\n"],
  ["a page", "<!DOCTYPE html>\n<html></html>"],
  ["semicolons", "provider;model;kind;price\nacme;m;calls;1\n"],
  ["a number", "3"],
])("%s", (_, text) => {
  expect(problemsOf(text)).toEqual([NONE]);
});

describe("also refused:", () => {
  test("broken JSON, by its line", () => {
    const cut = fixture("litellm.json").slice(0, 700);
    expect(problemsOf(cut)).toEqual(["20: : is not JSON: a text has no closing quote"]);
  });

  test("tables without a price", () => {
    for (const empty of [
      "provider,model,kind,price\n",
      '{"m": {"litellm_provider": "acme", "input_cost_per_token": null}}',
      '{"acme": {"models": {}}}',
    ]) {
      expect(problemsOf(empty)).toEqual(["1: : has no prices"]);
    }
  });

  test("bytes that are not UTF-8, and more than 32 MiB", () => {
    expect(problemsOf(Buffer.from("provider,model", "utf16le"))).toEqual([NONE]);
    expect(problemsOf(Buffer.from([0xff, 0xfe, 0x41]))).toEqual(["1: : is not UTF-8"]);
    expect(problemsOf(Buffer.alloc(MAX_TABLE_BYTES + 1, " "))).toEqual([
      "1: : has more than 33,554,432 bytes",
    ]);
  });
});

test("JSON with a byte order mark and CRLF is read as without", () => {
  for (const name of ["litellm.json", "models-dev.json"]) {
    const windows = `\uFEFF${fixture(name).replaceAll("\n", "\r\n")}`;
    expect(rowTexts(windows)).toEqual(rowTexts(fixture(name)));
  }
});
