import type { Instant } from "../line/account.ts";
import { waitsForNeed } from "../line/low-balance.ts";
import { REFERENCE } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import type { AccountBook } from "../month/account-book.ts";
import { mostToGrant } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";
import { type Catalogue, creditPriceAt } from "../offer/catalogue.ts";
import type { NewTopUp } from "./payment.ts";
import { creditsFor } from "./size-top-up.ts";

/** A charge at the gateway whose payment the books lack; the amount in the currency's minor unit. */
interface LostCharge extends Pick<NewTopUp, "paymentId" | "amount" | "currency"> {
  readonly createdAt: Instant;
}

export type RestoredTopUp =
  | { readonly kind: "restored"; readonly topUp: NewTopUp; readonly step: Settlement | null }
  /** It is no top-up: its id says so. */
  | { readonly kind: "not_a_top_up" }
  /** Another top-up of the account is pending: afterwards. */
  | { readonly kind: "in_flight" }
  | Refusal<"no_credit_price" | "overflow">;

const REASON = "The books were restored; the payment is being confirmed with the bank.";

/**
 * The top-up that a charge was made for, with the charge's amount and the credits that this bought then. It is
 * pending: the charge settles it. The account's crossings count on from the top-up's, so that no later top-up has
 * the id of one that there was.
 */
export function restoreTopUp(
  { paymentId, amount, currency, createdAt }: LostCharge,
  context: {
    readonly book: AccountBook;
    readonly catalogue: Catalogue;
    readonly inFlight: boolean;
  },
): RestoredTopUp {
  if (!isTopUp(paymentId)) return { kind: "not_a_top_up" };
  if (context.inFlight) return { kind: "in_flight" };
  const price = creditPriceAt(context.catalogue, currency, createdAt);
  if (price === null) return { kind: "no_credit_price", currency };
  const credits = creditsFor(amount, price);
  const most = mostToGrant(context.book.account);
  if (credits > most) return { kind: "overflow", most };
  const terms = { paymentId, amount, currency, credits, life: price.life };
  const step = countOn(paymentId, context.book);
  return { kind: "restored", topUp: { ...terms, reason: REASON }, step };
}

function countOn(paymentId: string, book: AccountBook): Settlement | null {
  const { account } = book;
  const crossings = REFERENCE.automaticTopUp.read(paymentId)?.crossing ?? 0n;
  if (crossings <= account.crossings) return null;
  const waitingCrossing = waitsForNeed(account) ? crossings : account.waitingCrossing;
  return finishMovement({ ...book, account: { ...account, crossings, waitingCrossing } }, {});
}

/** Whether a payment's id is that of a top-up. */
export function isTopUp(paymentId: string): boolean {
  const { automaticTopUp, manualTopUp } = REFERENCE;
  return automaticTopUp.read(paymentId) !== null || manualTopUp.read(paymentId) !== null;
}
