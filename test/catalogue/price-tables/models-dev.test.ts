/** models.dev's api.json: USD for a million tokens, by provider and model. */
import { describe, expect, test } from "vitest";
import { fixture, leftOutOf, problemsOf, readText, rowTexts } from "./read-table.ts";

test("each key of a cost is a price of a kind, tiers are bands of the context", () => {
  expect(readText(fixture("models-dev.json"))).toMatchObject({ format: "models.dev" });
  expect(rowTexts(fixture("models-dev.json"))).toEqual([
    "acme/swift-4 input_tokens: USD 3 for 1000000",
    "acme/swift-4 output_tokens: USD 15 for 1000000",
    "acme/swift-4 reasoning_tokens: USD 15 for 1000000",
    "acme/swift-4 cache_read_tokens: USD 0.3 for 1000000",
    "acme/swift-4 cache_write_tokens: USD 3.75 for 1000000",
    "acme/swift-4 input_audio_tokens: USD 10 for 1000000",
    // `context_over_200k` is passed over where there are tiers.
    "acme/swift-4 input_tokens, context from 272000: USD 6 for 1000000",
    "acme/swift-4 output_tokens, context from 272000: USD 22.5 for 1000000",
    "acme/swift-3 input_tokens: USD 1.25 for 1000000",
    "acme/swift-3 output_tokens: USD 10 for 1000000",
    "acme/swift-3 input_tokens, context from 200001: USD 2.5 for 1000000",
    "acme/swift-3 output_tokens, context from 200001: USD 15 for 1000000",
    "beta/acme/swift-4 input_tokens: USD 0 for 1000000",
    "beta/acme/swift-4 output_tokens: USD 0 for 1000000",
    "beta/acme/swift-4 minutes: USD 0.006 for 1",
  ]);
});

test("what is not known is left out, and said", () => {
  expect(leftOutOf(fixture("models-dev.json"))).toEqual([
    "21: cost.tiers x 1",
    "35: experimental.modes x 1",
    "45: cost.per_page x 1",
  ]);
});

describe("is refused by line and key:", () => {
  const file = (cost: string) => `{"acme": {"models": {\n"m": {"cost": ${cost}}}}}`;
  test.each([
    ["a price below zero", '{"input": -1}', ".input: must be 0 or more, without a sign, not -1"],
    [
      "two prices of one key",
      '{"input": 1, "input": 2}',
      ".input: has another price in line 2, acme.models.m.cost.input",
    ],
    ["a cost that is no object", "3", ": must be an object with prices"],
    ["tiers that are no list", '{"tiers": 3}', ".tiers: must be a list of tiers"],
    [
      "a tier without its bounds",
      '{"tiers": [{"input": 1}]}',
      ".tiers[0]: must be an object with prices and its tier",
    ],
    [
      "a tier from half a token",
      '{"tiers": [{"input": 1, "tier": {"type": "context", "size": 0.5}}]}',
      ".tiers[0].tier.size: must be a whole number, stated once",
    ],
    [
      "a tier of two sizes",
      '{"tiers": [{"input": 1, "tier": {"type": "context", "size": 1, "size": 2}}]}',
      ".tiers[0].tier.size: must be a whole number, stated once",
    ],
    [
      "two tiers of one size",
      '{"tiers": [{"input": 1, "tier": {"type": "context", "size": 9}}, {"input": 2, "tier": {"type": "context", "size": 9}}]}',
      ".tiers[1].input: has another price in line 2, acme.models.m.cost.tiers[0].input",
    ],
    [
      "an odd long context",
      '{"context_over_200k": 5}',
      ".context_over_200k: must be an object with prices",
    ],
  ])("%s", (_, cost, problem) => {
    expect(problemsOf(file(cost))[0]).toBe(`2: acme.models.m.cost${problem}`);
  });

  test("providers and models that are no objects", () => {
    const odd =
      '{"acme": {"models": {"m": {"cost": {"input": 1}},\n"n": 3}},\n"b": null,\n"c": {"models": []}}';
    expect(problemsOf(odd)).toEqual([
      "2: acme.models.n: must be an object with a model's cost",
      "3: b: must be an object with a provider's models",
      "4: c.models: must be an object of models",
    ]);
  });
});
