import { OutcomeUnknown } from "../payment-gateway.ts";

/** Stripe's largest page. */
export const PAGE = 100;
const MOST_PAGES = 10;

/** Reads all pages of a list. Throws OutcomeUnknown if there are too many, since a part would mislead. */
export async function listWhole<T>(list: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of list) {
    if (items.length === MOST_PAGES * PAGE) {
      throw new OutcomeUnknown(`Stripe lists more than ${items.length} items: too many to read`);
    }
    items.push(item);
  }
  return items;
}
