import { expect, test } from "vitest";
import { hideActors } from "../../shared/contract/actor.ts";

test.each([
  { actor: "token:acme", shown: "customer" },
  { actor: "key:0123456789abcdef", shown: "seller" },
  { actor: "alice@seller.example", shown: "seller" },
  { actor: "schedule", shown: "automatic" },
  { actor: "payments", shown: "automatic" },
  { actor: "gateway", shown: "automatic" },
  { actor: null, shown: null },
])("a customer reads $shown for $actor, wherever it stands", ({ actor, shown }) => {
  const of = (name: string | null) => ({
    items: [
      { postedBy: name, requestedBy: name, setBy: name, grantedBy: name, askedBy: name },
      { by: name, at: 1, detail: { kind: "plan_changed" } },
    ],
    consent: { by: name, at: 2, byDefault: false },
  });
  expect(hideActors(of(actor))).toEqual(of(shown));
});

test("what names nobody stays the same, instants, amounts and other objects among it", () => {
  const credits = new Map([["lot", 1n]]);
  const answer = { charged: { kind: "reversal", by: "refund" }, credits, dueAt: 1, amount: 5n };
  expect(hideActors(answer)).toEqual(answer);
  expect(hideActors({ credits }).credits).toBe(credits);
});

test("a product's own dimensions are shown as they were published, whatever they are called", () => {
  const dimensions = { createdBy: "alice", setBy: "bob", by: "carol", at: "home" };
  const usage = { items: [{ eventId: "e1", dimensions }], rates: [{ when: dimensions }] };
  expect(hideActors(usage)).toEqual(usage);
});
