import { expect, test } from "vitest";
import { readFlags } from "../../../infra/demo/flags.ts";

test("without flags the demo plays at 90 times the pace to 300 accounts and stays up", () => {
  const flags = { exit: false, kill: false, json: false, speedUp: 90, accounts: 300 };
  expect(readFlags([])).toEqual({ kind: "run", flags });
});

test("flags override the defaults", () => {
  const flags = { exit: true, kill: true, json: true, speedUp: 10, accounts: 5 };
  const args = ["--exit", "--kill", "--json", "--speed-up", "10", "--accounts=5"];
  expect(readFlags(args)).toEqual({ kind: "run", flags });
});

test.each([
  ["--speed-up", "0"],
  ["--speed-up", "1.5"],
  ["--speed-up", "fast"],
  ["--accounts", "0"],
  ["--accounts", "10001"],
  ["--accounts"],
  ["--unknown"],
  ["word"],
])("%s %s is wrong usage", (...args) => {
  expect(readFlags(args)).toMatchObject({ kind: "wrong" });
});
