/**
 * - a path names members, one after another; nothing else of JSONPath is supported
 * - an event feeds the meters whose version at its time names its type
 */
import { describe, expect, test } from "vitest";
import { type Feed, isSameFeed, parsePath, pathText } from "../../../shared/core/offer/feed.ts";
import { feedsAt, toFeedCard } from "../../../shared/core/offer/feed-card.ts";
import type { Rate } from "../../../shared/core/offer/rate-card.ts";

describe("a path", () => {
  test.each([
    ["$.tokens", ["tokens"]],
    ["$.usage.tokens", ["usage", "tokens"]],
    ["$.output-tokens_2.größe", ["output-tokens_2", "größe"]],
    ["$.__proto__", ["__proto__"]],
  ])("%s is read, and written back unchanged", (text, path) => {
    expect(parsePath(text)).toEqual(path);
    expect(pathText(path)).toBe(text);
  });

  test.each([
    ...["", "$", "$.", "tokens", ".tokens", "$tokens", "$..tokens", "$.tokens.", "$.a b"],
    ...["$.a[0]", "$['a']", "$.*", "$.a[?(@.b)]", "$.a\n", "$.\u{1F680}"],
  ])("%j is not a path", (text) => {
    expect(parsePath(text)).toBeNull();
  });
});

describe("an event feeds", () => {
  const card = toFeedCard([
    rate("output", 10, feed("prompt", "$.output")),
    rate("output", 20, feed("prompt", "$.tokens.output")),
    rate("output", 30, feed("answer", "$.output")),
    rate("output", 40),
    rate("prompts", 15, feed("prompt", null)),
    rate("calls", 0),
  ]);
  test.each<[type: string, at: number, fed: string[]]>([
    ["prompt", 9, []],
    ["prompt", 10, ["output $.output"]],
    ["prompt", 15, ["output $.output", "prompts 1"]],
    ["prompt", 20, ["output $.tokens.output", "prompts 1"]],
    ["prompt", 30, ["prompts 1"]],
    ["answer", 29, []],
    ["answer", 30, ["output $.output"]],
    ["answer", 40, []],
    ["calls", 50, []],
    ["output", 50, []],
    ["constructor", 50, []],
  ])("%s at %i: %j", (type, at, fed) => {
    const found = [...feedsAt(card, type, at)].map(
      ([meter, { value }]) => `${meter} ${value === null ? 1 : pathText(value)}`,
    );
    expect(found.sort()).toEqual(fed);
  });
});

test("two feeds are the same when all their fields are", () => {
  const one = { ...feed("prompt", "$.a"), dimensions: new Map([["model", ["model"]]]) };
  expect(isSameFeed(one, { ...one, dimensions: new Map([["model", ["model"]]]) })).toBe(true);
  expect(isSameFeed(undefined, undefined)).toBe(true);
  const others: (Feed | undefined)[] = [
    undefined,
    { ...one, eventType: "answer" },
    { ...one, value: ["b"] },
    { ...one, value: null },
    { ...one, dimensions: new Map() },
    { ...one, dimensions: new Map([["model", ["name"]]]) },
    { ...one, dimensions: new Map([["kind", ["model"]]]) },
  ];
  for (const other of others) {
    expect(isSameFeed(one, other)).toBe(false);
    expect(isSameFeed(other, one)).toBe(false);
  }
});

function rate(meter: string, validFrom: number, fed?: Feed): Rate {
  return { meter, validFrom, credits: 1n, per: 1n, ...(fed === undefined ? {} : { feed: fed }) };
}

function feed(eventType: string, value: string | null): Feed {
  return { eventType, value: value === null ? null : parsePath(value), dimensions: new Map() };
}
