/** Wrong keys are counted by network, with bounded memory and a bounded log. */
import { expect, test, vi } from "vitest";
import { networkOf } from "../../services/api/access/network-of.ts";
import { openWrongKeys } from "../../services/api/access/wrong-keys.ts";

const MINUTE = 60_000;

test("an address waits for the rest of its minute once it has sent too many", () => {
  const wrong = openWrongKeys({ warn: vi.fn() }, 2);
  for (const at of [0, 10_000]) {
    expect(wrong.waitMs("10.0.0.1", at)).toBe(0);
    wrong.add("10.0.0.1", "unknown", "x", at);
  }
  expect(wrong.waitMs("10.0.0.1", 20_000)).toBe(40_000);
  expect(wrong.waitMs("10.0.0.2", 20_000)).toBe(0);
  expect(wrong.waitMs("10.0.0.1", MINUTE)).toBe(0);
  expect(wrong.counts()).toEqual([
    { reason: "malformed", count: 0 },
    { reason: "unknown", count: 2 },
    { reason: "revoked", count: 0 },
    { reason: "expired", count: 0 },
    { reason: "limited", count: 1 },
  ]);
});

test("the first address makes room for the 10,001st; 100 lines a minute are logged", () => {
  const warn = vi.fn();
  const wrong = openWrongKeys({ warn }, 1);
  for (let n = 0; n < 10_001; n += 1) wrong.add(`a${n}`, "unknown", "x", 0);
  expect(wrong.waitMs("a0", 1)).toBe(0);
  expect(wrong.waitMs("a1", 1)).toBeGreaterThan(0);
  expect(warn).toHaveBeenCalledTimes(100);
  wrong.add("a0", "unknown", "x", MINUTE);
  expect(warn).toHaveBeenCalledTimes(101);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0db8:0:0:ffff::", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s counts as %s", (address, network) => expect(networkOf(address)).toBe(network));
