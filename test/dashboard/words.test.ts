import { describe, expect, it } from "vitest";
import { accessOf, accountOf, readKey } from "../../services/dashboard/access/access-link.ts";
import { readCredits, readMoney } from "../../services/dashboard/account/read-amount.ts";
import { expiryText, type LotOnLine, lotName } from "../../services/dashboard/state/lot-on-line.ts";
import { entryText } from "../../services/dashboard/text/entry-text.ts";
import { runwayText } from "../../services/dashboard/text/runway-text.ts";

const ZONE = "Europe/Prague";
const NOW = Date.parse("2026-11-22T13:32:08Z");
const tokenOf = (account: string, begin = "ddt"): string =>
  `${begin}_${Buffer.from(account).toString("base64url")}_${"aB3-xyz_9".padEnd(43, "_")}`;

describe("the link that opens the page", () => {
  it.each(["northwind", "a/b c'\"", "účet", "?>~", "x"])(
    "names the account %s in its token",
    (account) => {
      expect(accountOf(tokenOf(account))).toBe(account);
    },
  );

  it("contains a token, and never a key", () => {
    const token = tokenOf("northwind");
    const opened = { kind: "account", token, accountId: "northwind" };
    expect(accessOf(`#token=${token}`)).toEqual({ ...opened, readOnly: false });
    expect(accessOf("#operators")).toEqual({ kind: "operators", hadKey: false });
    expect(accessOf("#key=ddk_1")).toEqual({ kind: "operators", hadKey: true });
  });

  it("a key is pasted: with blanks around it, but nothing else", () => {
    const key = `ddk_0123456789abcdef_${"aB3-xyz_9".padEnd(43, "_")}`;
    expect(readKey(` ${key}\n`)).toBe(key);
    for (const text of ["", "ddk_1", `Bearer ${key}`, `${key}x`, tokenOf("northwind"), "ключ"]) {
      expect(readKey(text)).toBeNull();
    }
  });

  it("says whether the page may change anything", () => {
    const token = tokenOf("northwind", "ddr");
    expect(accessOf(`#token=${token}`)).toMatchObject({ accountId: "northwind", readOnly: true });
  });

  it.each(["", "#", "#token=", "#token=abc", "#token=ddt__x", "#token=ddt_%%_x"])(
    "or nothing: %s",
    (fragment) => {
      expect(accessOf(fragment)).toBeNull();
    },
  );
});

describe("the runway in words", () => {
  const runway = {
    balance: "16486270000",
    pace_per_day: "312000000",
    pace_from: "2026-11-15T13:32:08Z",
    pace_to: "2026-11-22T13:32:08Z",
    lasts_until: "2027-01-13T12:00:00Z",
    expires_unused: "0",
  };
  const said = (changed: Partial<typeof runway> | { lasts_until: null }): string => {
    const { before, until, after } = runwayText({ ...runway, ...changed }, ZONE, NOW);
    return before + until + after;
  };

  it("of an account that has had no credits says so", () => {
    const none = { ...runway, balance: "0" };
    expect(runwayText(none, ZONE, NOW, true).before).toBe("No credits have been added yet.");
    expect(runwayText(none, ZONE, NOW).before).toBe("Nothing is left to use.");
  });

  it("states the pace it assumes", () => {
    expect(said({})).toBe(
      "At the pace of the last 7 days (312 a day) they last until 13 January, and none expire before they are used.",
    );
  });

  it("says what expires unused", () => {
    expect(said({ expires_unused: "45500000" })).toContain(
      "45.5 of them expire before they are used",
    );
  });

  it("names today and tomorrow", () => {
    expect(said({ lasts_until: "2026-11-22T20:00:00Z" })).toContain("until today, 21:00");
    expect(said({ lasts_until: "2026-11-23T20:00:00Z" })).toContain("until tomorrow, 21:00");
  });

  it("has words for no usage, no end and debt", () => {
    expect(said({ pace_per_day: "0" })).toContain("Nothing was used in the last 7 days");
    expect(said({ lasts_until: null })).toContain("longer than can be estimated");
    expect(said({ balance: "0" })).toBe("Nothing is left to use.");
    expect(said({ balance: "-1" })).toContain("repay");
  });
});

describe("lots and entries in words", () => {
  const lot: LotOnLine = {
    lotId: "1",
    source: "plan",
    reference: "growth",
    start: 0n,
    end: 10n,
    grantedAt: Date.parse("2026-09-30T22:00:00Z"),
    expiresAt: Date.parse("2026-11-30T23:00:00Z"),
  };

  it("names a lot by its source", () => {
    expect(lotName(lot, ZONE)).toBe("October plan");
    expect(lotName({ ...lot, source: "top_up", reference: "10.00 USD" }, ZONE)).toBe(
      "Top-up, USD 10.00",
    );
    expect(lotName({ ...lot, source: "promotion", reference: "" }, ZONE)).toBe("Promotion");
  });

  it("states when it expires, and warns when that is soon", () => {
    expect(expiryText(lot, 5n, ZONE, NOW)).toEqual({
      text: "expires 1 Dec, in 9 days",
      isSoon: true,
    });
    expect(expiryText({ ...lot, expiresAt: null }, 5n, ZONE, NOW).text).toBe("does not expire");
    expect(expiryText(lot, 0n, ZONE, NOW)).toEqual({ text: "used up", isSoon: false });
    expect(expiryText({ ...lot, expiresAt: NOW }, 0n, ZONE, NOW).text).toBe("ended on 22 Nov");
    const later = Date.parse("2026-12-31T23:00:00Z");
    expect(expiryText({ ...lot, expiresAt: later }, 5n, ZONE, NOW)).toEqual({
      text: "expires 1 January",
      isSoon: false,
    });
  });

  it("names an entry", () => {
    const entry = (kind: string, reference: string) => ({ kind, reference });
    expect(entryText(entry("grant", "10.00 USD"))).toBe("Credits added · USD 10.00");
    expect(entryText(entry("add_on_charge", "add-on:voice-cloning:1:4:0-1"))).toBe(
      "Add-on · voice cloning",
    );
    expect(entryText(entry("add_on_charge", "add-on:seats:1:4:2-5"))).toBe(
      "Add-on · seats, 3 units",
    );
    expect(entryText(entry("expiry", ""))).toBe("Expired, unused");
    expect(entryText(entry("of_tomorrow", "x"))).toBe("of tomorrow · x");
  });
});

describe("entered amounts", () => {
  it("are read exactly, with or without separators", () => {
    expect(readMoney(" 1,200.50 ", "USD")).toEqual({ amount: 120_050n });
    expect(readCredits("1 500.000001")).toEqual({ amount: 1_500_000_001n });
  });

  it.each(["", "abc", "-5", "1.234", "0", "1,2", "99999999999999999999"])(
    "or are refused with the reason: %s",
    (text) => {
      expect(readMoney(text, "USD")).toHaveProperty("wrong");
    },
  );
});
