import { catalogue, toCatalogue } from "../../../shared/contract/catalogue.ts";
import { readOffer } from "../../../shared/ledger/catalogue/offer.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { route } from "./route.ts";

export const catalogueRoute = route(
  {
    method: "GET",
    path: "/v1/catalogue",
    access: ["read", "catalogue"],
    byRestrictedKey: true,
    tag: "catalogue",
    summary: "Show the catalogue: all versions of meters, plans, add-ons and credit prices",
    response: { 200: catalogue },
  },
  (_, { database }) =>
    readSnapshot(database, async (transaction) => toCatalogue(await readOffer(transaction))),
);
