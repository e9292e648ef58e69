import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessOf, accountOf, readKey } from "../../services/dashboard/access/access-link.ts";
import { readCredits, readMoney } from "../../services/dashboard/account/read-amount.ts";
import { expiryText, type LotOnLine, lotName } from "../../services/dashboard/state/lot-on-line.ts";
import { meterName, planName, setNames } from "../../services/dashboard/text/display-names.ts";
import { entryText } from "../../services/dashboard/text/entry-text.ts";
import {
  groupName,
  keyName,
  originText,
  quantityText,
  usageText,
} from "../../services/dashboard/text/meter-text.ts";
import { firstMonthText, waitingText } from "../../services/dashboard/text/plan-text.ts";
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
      "Top-up, USD\u00a010.00",
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
    const entry = (kind: string, reference: string, lot_id: string | null = null) => ({
      ...{ kind, reference, lot_id },
    });
    expect(entryText(entry("grant", "10.00 USD"))).toBe("Credits added · USD\u00a010.00");
    expect(entryText(entry("add_on_charge", "add-on:voice-cloning:1:4:0-1"))).toBe(
      "Add-on · voice cloning",
    );
    expect(entryText(entry("add_on_charge", "add-on:seats:1:4:2-5"))).toBe(
      "Add-on · seats, 3 units",
    );
    expect(entryText(entry("expiry", ""))).toBe("Expired, unused");
    expect(entryText(entry("expiry", "expiry:plan:1:0", "plan:1:0"))).toBe("Expired, unused");
    expect(entryText(entry("reversal", "refund:t1", "top-up:manual:a"))).toBe("Payment refunded");
    expect(entryText(entry("reversal", "chargeback:du_1"))).toBe("Payment charged back");
    expect(entryText(entry("reversal", "paid twice"))).toBe("Reversed · paid twice");
    expect(entryText(entry("of_tomorrow", "x"))).toBe("of tomorrow · x");
  });
});

describe("what has a name is shown under it", () => {
  type What = Parameters<typeof setNames>[0]["items"][number]["what"];
  const named = (what: What, id: string, name: string | null) => ({
    ...{ what, id, name, unit: null },
  });
  beforeEach(() =>
    setNames({
      items: [
        { ...named("meter", "kb.queries", "Searches"), unit: { one: "query", many: "queries" } },
        { ...named("meter", "calls", null), unit: { one: "call", many: "calls" } },
        named("plan", "growth", "Growth"),
        named("add_on", "voice_cloning", "Your own voices"),
        named("dimension", "model", "Model"),
        named("dimension_value", "model=gpt-5", "GPT-5"),
      ],
    }),
  );
  afterEach(() => setNames({ items: [] }));

  it("usage, with the unit", () => {
    const used = { meter: "kb.queries", quantity: "1" } as const;
    expect(usageText(used)).toBe("Searches, 1 query");
    expect(usageText({ ...used, quantity: "1200" })).toBe("Searches, 1,200 queries");
    expect(quantityText("calls", 0n)).toBe("0 calls");
    expect(keyName("kb.queries", { group: "meter" })).toBe("Searches");
    expect(keyName("kb.queries", { group: "source" })).toBe("kb.queries");
  });

  it("a dimension and its values, where spend is grouped by it and in what usage is from", () => {
    const byModel = { group: "dimension", dimension: "model" } as const;
    expect(groupName(byModel)).toBe("Model");
    expect(keyName("gpt-5", byModel)).toBe("GPT-5");
    expect(keyName("gpt-6", byModel)).toBe("gpt-6");
    expect(keyName("gpt-5", { ...byModel, dimension: "team" })).toBe("gpt-5");
    expect(keyName("", byModel)).toBe("not set");
    const used = { source: "app", dimensions: { model: "gpt-5", team: "gpt-5" } };
    expect(originText(used)).toBe("app · Model GPT-5 · team gpt-5");
  });

  it("or its id in words, without a unit, if it has none", () => {
    expect(meterName("calls")).toBe("calls");
    expect(usageText({ meter: "voice.milliseconds", quantity: "1200" })).toBe(
      "voice milliseconds, 1,200",
    );
  });

  it("plans and add-ons in entries; the reference of another lot is no plan's", () => {
    const entry = { kind: "grant", reference: "growth" };
    expect(entryText({ ...entry, lot_id: "plan:1:0" })).toBe("Credits added · Growth");
    expect(entryText({ ...entry, lot_id: "gift" })).toBe("Credits added · growth");
    const charge = { kind: "add_on_charge", reference: "add-on:voice_cloning:1:4:0-2" };
    expect(entryText({ ...charge, lot_id: null })).toBe("Add-on · Your own voices, 2 units");
    expect(planName("growth")).toBe("Growth");
    expect(planName("x.y_z")).toBe("x.y_z");
  });

  it("from right to left, a name does not reorder the numbers beside it", () => {
    setNames({ items: [named("meter", "calls", "שיחות")] });
    expect(usageText({ meter: "calls", quantity: "12" })).toBe("\u2068שיחות\u2069, 12");
  });
});

describe("the first month of a plan in words", () => {
  const subscription = { period: 0, first_part: { days: 15, of: 30 } };

  it("is the part that is paid and given, as long as it runs", () => {
    expect(firstMonthText(subscription)).toBe("the first month costs and brings 15 of its 30 days");
    for (const whole of [
      { ...subscription, first_part: null },
      { ...subscription, first_part: { days: 30, of: 30 } },
      { ...subscription, period: 1 },
    ]) {
      expect(firstMonthText(whole)).toBeNull();
    }
  });

  it("says which credits wait for which payment", () => {
    const fee = { amount: "4950", currency: "USD", credits: "3000000000" };
    expect(waitingText([{ ...fee, credits: null }, fee])).toBe(
      "3,000 credits come once USD\u00a049.50 is paid",
    );
    expect(waitingText([{ ...fee, credits: null }])).toBeNull();
    expect(waitingText([])).toBeNull();
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
