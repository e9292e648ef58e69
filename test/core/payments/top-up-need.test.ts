/**
 * What auto top-up charges for, on an account to which one thing happens after another: a need of credits,
 * once each. What only expires, is deducted or withdrawn is published as a low balance and charges nothing.
 */
import { describe, expect, test } from "vitest";
import { startAgain } from "../../../shared/core/payments/auto-top-up.ts";
import { decideAutoTopUp } from "../../../shared/core/payments/decide-top-up.ts";
import { autoWith, contextWith } from "../../support/core/top-up-examples.ts";
import { openPlay } from "../month/account-in-play.ts";

const END = Date.parse("2026-02-01T00:00Z");

/** Ten credits that end as February begins. */
function withGift(threshold = 0n) {
  const acme = openPlay({ threshold });
  acme.grant("2026-01-10T00:00", "gift", 10n, { kind: "at", at: END });
  return acme;
}

type Play = ReturnType<typeof openPlay>;

/** The low balances published. */
function published({ lowBalances }: Play): string[] {
  return lowBalances.map(({ crossing, cause, needed }) =>
    [crossing, cause, needed ? "needed" : "waits"].join(" "),
  );
}

function charged(acme: Play, auto = autoWith()): string | null {
  return (
    decideAutoTopUp(0, contextWith({ account: acme.account(), auto })).topUp?.paymentId ?? null
  );
}

describe("credits that expire unused", () => {
  test("are announced and charge nothing", () => {
    const acme = withGift();
    acme.settle("2026-02-01T00:15");
    expect(published(acme)).toEqual(["1 entry:2 waits"]);
    expect(charged(acme)).toBe(null);
  });

  test("charge nothing when auto top-up is switched on, or started again, while the balance is low", () => {
    const acme = withGift();
    acme.settle("2026-02-01T00:15");
    expect(charged(acme, startAgain(autoWith(), END))).toBe(null);
  });

  test("are topped up once usage needs credits, once, whatever is used then", () => {
    const acme = withGift();
    acme.settle("2026-02-01T00:15");
    acme.use("2026-03-01T00:00", 1n);
    acme.use("2026-03-01T00:01", 1n);
    expect(published(acme)).toEqual(["1 entry:2 waits", "2 event:e1 needed"]);
    expect(charged(acme)).toBe("low-balance:2");
  });

  test("give the same low balances when the usage itself makes the expiry due", () => {
    const acme = withGift();
    acme.use("2026-02-01T00:01", 1n);
    expect(published(acme)).toEqual(["1 entry:2 waits", "2 event:e1 needed"]);
  });

  test("charge nothing for late usage that they still pay for", () => {
    const acme = withGift();
    acme.settle("2026-02-01T00:15");
    acme.use("2026-02-01T00:20", 10n, "2026-01-31T23:00");
    expect(charged(acme)).toBe(null);
    acme.use("2026-02-01T00:20", 1n, "2026-01-31T23:00");
    expect(charged(acme)).toBe("low-balance:2");
  });

  test("charge nothing for events without a price", () => {
    const acme = withGift();
    acme.settle("2026-02-01T00:15");
    acme.use("2026-03-01T00:00", 0n);
    expect(charged(acme)).toBe(null);
  });

  test("are announced once, however many lots end while the balance is low", () => {
    const acme = withGift(50n);
    acme.grant("2026-01-11T00:00", "later", 50n, { kind: "at", at: END + 86_400_000 });
    acme.settle("2026-02-01T00:15");
    acme.settle("2026-02-02T00:15");
    expect(published(acme)).toEqual(["1 entry:3 waits"]);
    expect(charged(acme)).toBe(null);
  });

  test("at a turn with nothing used charge nothing; the turn's add-ons need credits", () => {
    const acme = openPlay({ threshold: 100n });
    acme.subscribe("2026-01-01T00:00", "brief");
    acme.grant("2026-01-01T00:00", "gift", 10n, { kind: "at", at: END });
    acme.settle("2026-02-01T00:15");
    expect(published(acme)).toEqual(["1 entry:5 waits"]);
    expect(charged(acme)).toBe(null);
    acme.addOn("2026-02-10T00:00", "voice", 1);
    expect(published(acme).slice(1)).toEqual(["2 entry:6 needed"]);
    expect(charged(acme)).toBe("low-balance:2");
  });

  test("are topped up at the turn whose add-ons find too little", () => {
    const acme = openPlay({ threshold: 100n });
    acme.subscribe("2026-01-01T00:00", "brief");
    acme.grant("2026-01-01T00:00", "gift", 20n, { kind: "at", at: END });
    acme.addOn("2026-01-01T00:00", "voice", 1);
    acme.settle("2026-02-01T00:15");
    expect(published(acme)).toEqual(["1 entry:7 needed"]);
  });

  test("wait on when a grant leaves the balance low, and are over when one lifts it", () => {
    const acme = withGift(5n);
    acme.settle("2026-02-01T00:15");
    acme.grant("2026-02-02T00:00", "small", 5n, { kind: "never" });
    expect(published(acme)).toEqual(["1 entry:2 waits", "2 entry:3 waits"]);
    acme.grant("2026-02-03T00:00", "large", 5n, { kind: "never" });
    acme.use("2026-02-04T00:00", 5n);
    expect(published(acme).slice(2)).toEqual(["3 event:e1 needed"]);
  });
});

describe("a need of credits", () => {
  test("stays one when what is left expires before it is topped up", () => {
    const acme = withGift(5n);
    acme.use("2026-01-31T00:00", 6n);
    acme.settle("2026-02-01T00:15");
    expect(published(acme)).toEqual(["1 event:e1 needed"]);
    expect(charged(acme)).toBe("low-balance:1");
  });
});

test("a lot that is withdrawn charges nothing until usage needs credits", () => {
  const acme = withGift();
  acme.withdraw("2026-01-11T00:00", "gift", null);
  expect(published(acme)).toEqual(["1 entry:2 waits"]);
  expect(charged(acme)).toBe(null);
  acme.use("2026-01-12T00:00", 1n);
  expect(charged(acme)).toBe("low-balance:2");
});
