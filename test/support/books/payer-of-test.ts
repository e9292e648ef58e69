import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { autoTopUpsToLookAt } from "../../../shared/ledger/books/auto-top-ups.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { DAY, NOON } from "../core/examples.ts";
import { type Books, openBooks } from "./books.ts";
import { openCardHolder } from "./card-holders.ts";
import { brokenInvariants } from "./invariants.ts";
import { topUpIfLow } from "./one-payment.ts";
import { balanceOf, sellCredits, use } from "./payers.ts";
import { openCatalogue } from "./subscribers.ts";

export const CREDIT = 1_000_000n;
/** Ten dollars buy 500 credits, of which a call costs one. */
export const TEN_DOLLARS = 500n;

/**
 * Books that sell credits, for the tests of a file, and an account of its own for each of them, whose
 * invariants hold at its end. The clock is passed in; there is no gateway.
 */
export function payerOfTest() {
  let books: Books;
  let accounts = 0;
  let id: string;

  beforeAll(async () => {
    books = await openBooks();
    await openCatalogue(books);
    await sellCredits(books);
  });

  afterAll(() => books?.close());

  beforeEach(() => {
    accounts += 1;
    id = `payer-${accounts}`;
  });

  afterEach(async () => {
    expect(await brokenInvariants(books.database, id)).toEqual([]);
  });

  return {
    get books() {
      return books;
    },
    get database() {
      return books.database;
    },
    get id() {
      return id;
    },
    get accountId() {
      return toAccountId(id);
    },

    /** Opens the account, by default with a card, and uses up its 100 credits at noon. */
    async runLow(given: Parameters<typeof openCardHolder>[3] = {}): Promise<void> {
      await openCardHolder(books, id, NOON - DAY, { credits: 100n * CREDIT, ...given });
      await use(books, { [id]: 100n }, NOON);
    },

    /** Checks whether it is low, as the top-up service does. */
    look(now: Instant = NOON) {
      return topUpIfLow(books.database, { accountId: toAccountId(id), now });
    },

    setAutoTopUp(now: Instant, asked: Partial<TopUpSettings>) {
      const account = { accountId: toAccountId(id), now, by: "test" };
      return setAutoTopUp(books.database, account, asked);
    },

    async isToBeLookedAt(now: Instant): Promise<boolean> {
      const due: readonly string[] = await autoTopUpsToLookAt(books.database, now, 1_000);
      return due.includes(id);
    },

    /** In whole credits. */
    async balance(): Promise<bigint> {
      return (await balanceOf(books, id)) / CREDIT;
    },
  };
}
