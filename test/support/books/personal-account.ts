import { expect } from "vitest";
import { parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import type { Grant } from "../../../shared/core/month/grant-credits.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { applyCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import { adjustCredits, takeCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { setOwnTerms } from "../../../shared/ledger/credits/set-own-terms.ts";
import { setPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import { topUp } from "../cli/pay.ts";
import { type Books, openAccount } from "./books.ts";
import { setBudgetOf } from "./budgets.ts";
import { askedHold, changeHold } from "./holds.ts";
import { sellCredits } from "./payers.ts";
import type { Usage, UsageBatches } from "./usage-batches.ts";

/** What nobody may find once an account is erased: in every text that a person or a product gives. */
export const PERSON = "alice@example.com";
export const OTHER_PERSON = `bob, not ${PERSON}`;

const CATALOGUE = `
meters:
  chat:
    from: 2026-01-01T00:00:00Z
    dimensions: [model]
    rates:
      - { when: { model: large }, credits: 2, per: 1 }
      - { when: { model: small }, credits: 1, per: 1 }
`;

/** A meter `chat` priced by `model`: 2 credits for `large`, 1 for `small`. */
export async function openChat({ database }: Books): Promise<void> {
  const parsed = parseCatalogue(Buffer.from(CATALOGUE));
  if (parsed.kind === "unreadable") throw new Error(JSON.stringify(parsed.problems));
  expect((await applyCatalogue(database, parsed.asked, Date.now(), 0)).kind).toBe("changes");
  await sellCredits({ database } as Books);
}

const OCCURRED_AT = Date.now();

/** An event of a person; the same one each time. */
export function chatOf(accountId: string, eventId: string, user: string, model = "large"): Usage {
  return {
    eventId,
    accountId,
    meter: "chat",
    quantity: 3n,
    occurredAt: OCCURRED_AT,
    dimensions: { user, model },
  };
}

/** The grant and the deduction of an account that persons wrote a reference to. */
export const GRANT: Grant = {
  ...{ lotId: "spring", credits: 1_000_000_000n, source: "promotion" },
  ...{ reference: `for ${PERSON}`, end: { kind: "never" } },
};
export const DEDUCTION = { credits: 5n, reference: `complaint of ${PERSON}` };

/** An account with something personal wherever the product and the seller's people can put it. */
export async function openPersonal(books: Books, id: string, usage: UsageBatches): Promise<void> {
  const { database } = books;
  const accountId = toAccountId(id);
  const now = Date.now();
  const at = { accountId, now, by: "test" };
  await openAccount(books, id);
  await grantCredits(database, accountId, GRANT, now);
  await takeCredits(database, at, DEDUCTION);
  const up = { credits: 7n, reference: `goodwill for ${PERSON}`, lotId: "goodwill" };
  await adjustCredits(database, at, up);
  await setPaymentMethod(database, at, { customer: PERSON, method: `card of ${PERSON}` });
  await topUp(books, id, { amount: 1_000n, key: "order-1" });
  const terms = { meter: null, validFrom: null, reason: `agreed with ${PERSON}` };
  const pricing = { kind: "discount", basisPoints: 0 } as const;
  expect((await setOwnTerms(database, at, { ...terms, pricing }, 0)).kind).toBe("set");
  const dimensions = { user: PERSON, model: "large" };
  await changeHold(books, askedHold(id, "run-1", 1_000_000n, { dimensions }));
  await changeHold(books, { kind: "release", accountId, holdId: "run-1" });
  await setBudgetOf(books, id, "user", { window: "all" });
  await setBudgetOf(books, id, "user", { value: PERSON });
  await usage.debit([
    chatOf(id, "chat-1", PERSON),
    chatOf(id, "chat-2", OTHER_PERSON, "small"),
    { ...chatOf(id, "chat-3", ""), dimensions: { model: "small" } },
  ]);
  await usage.debit([chatOf(id, "chat-4", PERSON, "small")]);
}
