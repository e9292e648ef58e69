/** LiteLLM's price file: what its keys price, what is left out, and what is refused by key. */
import { describe, expect, test } from "vitest";
import { fixture, leftOutOf, problemsOf, readText, rowTexts } from "./read-table.ts";

test("each key is a price of a kind, small units by the million, long contexts as bands", () => {
  expect(rowTexts(fixture("litellm.json"))).toEqual([
    "acme/swift-4 cache_write_tokens: USD 3.75 for 1000000",
    "acme/swift-4 cache_write_tokens_1h: USD 6 for 1000000",
    "acme/swift-4 cache_read_tokens: USD 0.3 for 1000000",
    "acme/swift-4 cache_read_tokens, context from 200001: USD 0.6 for 1000000",
    "acme/swift-4 input_tokens: USD 3 for 1000000",
    "acme/swift-4 input_tokens, context from 200001: USD 6 for 1000000",
    "acme/swift-4 input_tokens_batch: USD 1.5 for 1000000",
    "acme/swift-4 input_tokens_priority, context from 200001: USD 7.5 for 1000000",
    "acme/swift-4 output_tokens: USD 15 for 1000000",
    "acme/swift-4 output_tokens, context from 200001: USD 22.5 for 1000000",
    "acme/swift-4 searches_high: USD 0.01 for 1",
    "acme/swift-4 searches_low: USD 0.005 for 1",
    "beta/beta/ranges reasoning_tokens: USD 7 for 1000000",
    "beta/beta/ranges input_tokens: USD 0.05 for 1000000",
    "beta/beta/ranges output_tokens: USD 0.4 for 1000000",
    "beta/beta/ranges input_tokens, context from 256001: USD 0.25 for 1000000",
    "beta/beta/ranges output_tokens, context from 256001: USD 2 for 1000000",
    "acme/512-x-512/draw input_pixels: USD 0.0686 for 1000000",
    "acme/512-x-512/draw output_images: USD 0.018 for 1",
    "acme/512-x-512/draw output_images_0.5k: USD 0.009 for 1",
    "acme/512-x-512/draw output_pixels: USD 0 for 1000000",
    "acme/speak input_characters: USD 15 for 1000000",
    "acme/listen input_seconds: USD 0.0000611 for 1",
    "acme/film input_video_seconds: USD 0.0005 for 1",
    "acme/film input_video_seconds, quantity from 9: USD 0.001 for 1",
    "acme/film output_seconds_1080p: USD 0.08 for 1",
    "acme/tools code_interpreter_sessions: USD 0.03 for 1",
    "acme/tools computer_use_input_tokens: USD 3 for 1000000",
    "acme/tools file_search_calls: USD 2.5 for 1000",
  ]);
});

test("prices that are not known are left out, and said with how often and where first", () => {
  expect(leftOutOf(fixture("litellm.json"))).toEqual([
    "44: tiered_pricing x 1",
    "75: input_dbu_cost_per_token x 1",
    "77: off_peak_pricing x 1",
  ]);
});

const model = (fields: string, provider = '"litellm_provider": "acme"') =>
  `{\n"m": {${[provider, fields].filter(Boolean).join(",\n")}}}`;

describe("a key stated twice", () => {
  test("with one price is taken once, however the price is written", () => {
    const twice = model('"input_cost_per_token": 3e-06,\n"input_cost_per_token": 0.0000030');
    expect(rowTexts(twice)).toEqual(["acme/m input_tokens: USD 3 for 1000000"]);
  });

  test("with two prices is refused, also across two entries of one model", () => {
    const twice = model('"input_cost_per_token": 3e-06,\n"input_cost_per_token": 4e-06');
    expect(problemsOf(twice)).toEqual([
      "4: m.input_cost_per_token: has another price in line 3, m.input_cost_per_token",
    ]);
    const entry = (price: string) =>
      `"m": {"litellm_provider": "acme", "output_cost_per_token": ${price}}`;
    expect(problemsOf(`{${entry("1e-6")},\n${entry("2e-6")}}`)).toEqual([
      "2: m.output_cost_per_token: has another price in line 1, m.output_cost_per_token",
    ]);
  });

  test("a range of the input that contradicts the plain price is refused", () => {
    const both = model(
      '"input_cost_per_token": 3e-06,\n"tiered_pricing": [{"range": [0, 1], "input_cost_per_token": 4e-06}]',
    );
    expect(problemsOf(both)).toEqual([
      "4: m.tiered_pricing[0].input_cost_per_token: has another price in line 3, m.input_cost_per_token",
    ]);
  });

  test("a provider twice is refused: whose price would it be?", () => {
    const twice = model('"litellm_provider": "beta",\n"input_cost_per_token": 3e-06');
    expect(problemsOf(twice)).toEqual(["2: m.litellm_provider: must be stated, once and as text"]);
  });
});

describe("is refused by line and key, all of the file:", () => {
  const good = '"input_cost_per_token": 1e-7';
  test.each([
    ["below zero", "-1e-7", "must be 0 or more, without a sign, not -1e-7"],
    ["huge", "1e400", "must be below 1,000,000,000, not 1e400"],
    ["tiny", "1e-400", "must be 0 or at least 1e-18, not 1e-400"],
    ["a word", '"free"', 'must be a number like 3, 0.0000003 or 3e-7, not "free"'],
    ["empty text", '""', "is missing"],
    ["a list", "[1]", "must be a number"],
    ["an object", '{"usd": 1}', "must be a number"],
    ["true", "true", "must be a number"],
  ])("a price that is %s", (_, price, problem) => {
    expect(problemsOf(model(`${good},\n"output_cost_per_token": ${price}`))).toEqual([
      `4: m.output_cost_per_token: ${problem}`,
    ]);
  });

  test("a price without a provider, an entry that is no object, a range without a beginning", () => {
    const wrong = `{
"a": {"litellm_provider": "acme", ${good}},
"b": {${good}},
"c": 3,
"d": {"litellm_provider": 3, ${good}},
"e": {"litellm_provider": "acme", "tiered_pricing": [{"range": [null, 5], ${good}}]}
}`;
    expect(problemsOf(wrong)).toEqual([
      "3: b.litellm_provider: must be stated, once and as text",
      "4: c: must be an object with a model's prices",
      "5: d.litellm_provider: must be stated, once and as text",
      "6: e.tiered_pricing[0].range: must begin with a whole number",
    ]);
  });

  test.each([
    ["empty", '""', "the model is empty"],
    ["with a blank at its end", '"gpt "', "the model begins or ends with a blank"],
    ["with a line break", '"g\\npt"', "the model holds a line break or another control character"],
    ["half a sign", '"\\ud800"', "the model holds half of a surrogate pair"],
    ["too long", `"${"x".repeat(257)}"`, "the model has 257 characters; at most 256 are allowed"],
  ])("a model's name that is %s", (_, name, problem) => {
    const file = `{${name}: {"litellm_provider": "acme", ${good}}}`;
    expect(problemsOf(file)[0]?.endsWith(`: ${problem}`)).toBe(true);
  });

  test("of many problems the first hundred, and how many more there are", () => {
    const entries = Array.from({ length: 250 }, (_, at) => `"m${at}": 0`);
    const problems = problemsOf(`{"a": {"litellm_provider": "acme"}, ${entries.join(",\n")}}`);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe("100: : has 150 more problems, which are not listed");
  });
});

test("a name like __proto__ is a name", () => {
  const odd = '{"__proto__": {"litellm_provider": "constructor", "input_cost_per_token": 1e-6}}';
  expect(rowTexts(odd)).toEqual(["constructor/__proto__ input_tokens: USD 1 for 1000000"]);
});

test("the format is known by itself", () => {
  expect(readText(fixture("litellm.json"))).toMatchObject({ kind: "read", format: "litellm" });
});
