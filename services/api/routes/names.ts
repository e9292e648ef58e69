import { displayNames } from "../../../shared/contract/display-name.ts";
import { priceDimensions } from "../../../shared/core/offer/price-dimensions.ts";
import { readNamesForAccount } from "../../../shared/ledger/catalogue/display-names.ts";
import { READ, readOfAccount, route } from "./route.ts";

export const nameRoute = route(
  {
    ...READ,
    path: "/v1/accounts/:account_id/names",
    tag: "catalogue",
    summary:
      "Show the names of meters, plans, add-ons and dimensions, for whoever shows an account's ids",
    description:
      "Names change without a version. An id that is missing is shown as it is. Of plans, only those that the account has or had are named.",
    response: { 200: displayNames },
  },
  ({ params: { account_id } }, context) =>
    readOfAccount(context, account_id, async (transaction) => {
      const rates = await context.readRates(transaction);
      return {
        items: await readNamesForAccount(transaction, account_id),
        priceDimensions: priceDimensions(rates.list, context.now()),
      };
    }),
);
