import { ownCard } from "./own-card.ts";
import type { OwnTerms } from "./own-terms.ts";
import type { AccountCard, RateCard } from "./rate-card.ts";

/** What usage costs: the list, and the cards of the accounts that have terms of their own. */
export interface Rates {
  readonly list: RateCard;
  readonly own: ReadonlyMap<string, AccountCard>;
}

/** All prices of usage: those of the list, and of each account with terms of its own. */
export function toRates(list: RateCard, terms: readonly OwnTerms[] = []): Rates {
  const byAccount = Map.groupBy(terms, ({ accountId }) => accountId);
  const own = new Map<string, AccountCard>();
  for (const [accountId, ofAccount] of byAccount) own.set(accountId, ownCard(list, ofAccount));
  return { list, own };
}

/** What an account pays. Every price of usage is looked up here. */
export function cardOf({ list, own }: Rates, accountId: string): AccountCard {
  return own.get(accountId) ?? list;
}
