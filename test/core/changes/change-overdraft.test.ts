import { expect, test } from "vitest";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { UNLIMITED } from "../../../shared/core/line/overdraft.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { accountWith, NOON } from "../../support/core/examples.ts";

const set = (asked: Parameters<typeof decideSettings>[0], overdraft: bigint | null = null) =>
  decideSettings(asked, {
    book: { account: accountWith({ overdraft }), lots: [], schedule: EMPTY_SCHEDULE },
    ...{ catalogue: EMPTY_CATALOGUE, currency: "USD", now: NOON, by: "kim" },
  });

test("an overdraft is set, with who and when, and moves nothing", () => {
  expect(set({ overdraft: 5n })).toMatchObject({
    kind: "changed",
    ...{ account: { overdraft: 5n, version: 1n }, entries: [], lowBalance: null },
    changes: [
      {
        ...{ kind: "overdraft_changed", by: "kim", at: NOON },
        detail: { overdraft: "5", before: "default" },
      },
    ],
  });
});

test("it may be without a limit, none, or the default again", () => {
  expect(set({ overdraft: UNLIMITED }, 0n)).toMatchObject({
    changes: [{ detail: { overdraft: "unlimited", before: "0" } }],
  });
  expect(set({ overdraft: null }, 0n)).toMatchObject({ account: { overdraft: null } });
});

test("the same again changes nothing", () => {
  for (const overdraft of [null, 0n, UNLIMITED]) {
    expect(set({ overdraft }, overdraft)).toMatchObject({
      kind: "no_change",
      setting: "overdraft",
    });
  }
});

test("several settings are one movement, and none is set if one is refused", () => {
  expect(set({ overdraft: 5n, threshold: 7n, timeZone: "Europe/Berlin" })).toMatchObject({
    account: { overdraft: 5n, threshold: 7n, timeZone: "Europe/Berlin" },
    changes: [
      { kind: "threshold_changed" },
      { kind: "overdraft_changed" },
      { kind: "time_zone_changed" },
    ],
  });
  expect(set({ overdraft: 5n, timeZone: "UTC" })).toMatchObject({ kind: "no_change" });
});
