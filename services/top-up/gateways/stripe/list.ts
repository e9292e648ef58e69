import { OutcomeUnknown } from "../payment-gateway.ts";

/** The most that Stripe puts on a page. */
export const PAGE = 100;
const MOST_PAGES = 10;

/**
 * All pages of a list. Throws OutcomeUnknown where there are too many: a part of the list would pass
 * for the whole, and what is not on it for what never happened.
 */
export async function listWhole<T>(list: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of list) {
    if (items.length === MOST_PAGES * PAGE) {
      throw new OutcomeUnknown(`Stripe lists more than ${items.length}: too many to be read`);
    }
    items.push(item);
  }
  return items;
}
