import { expect, test } from "vitest";
import { readFlags } from "./flags.ts";

test("all is measured, unless one is named", () => {
  const flags = { quick: false, json: false, only: null, rounds: 5, grownMillions: 10 };
  expect(readFlags([])).toEqual({ kind: "run", flags });
  expect(readFlags(["--quick", "--only", "hot"])).toEqual({
    kind: "run",
    flags: { ...flags, quick: true, only: "hot", rounds: 3, grownMillions: 1 },
  });
  expect(readFlags(["--help"])).toEqual({ kind: "help" });
});

test.each([
  ["--only nothing", /^--only must be one of random, hot, .*, soak, not "nothing"$/],
  ["--only toString", /^--only must be one of /],
  ["--rounds 0", /^--rounds must be a whole number from 1 on, not "0"$/],
  ["--grown 0.5", /^--grown must be a whole number from 1 on, not "0.5"$/],
  ["--rounds many", /^--rounds must be a whole number from 1 on/],
  ["--onyl hot", /'--onyl'/],
  ["hot", /'hot'/],
])("wrong usage is a sentence: %s", (line, sentence) => {
  expect(readFlags(line.split(" "))).toEqual({
    kind: "wrong",
    message: expect.stringMatching(sentence),
  });
});
