import type { Offer } from "../../core/offer/offer.ts";
import type { Transaction } from "../postgres/database.ts";
import { readCatalogue } from "./catalogue.ts";
import { readDisplayNames } from "./display-names.ts";
import { listRatesWithOrigins } from "./rates.ts";

/** Reads everything on offer, and what its rates were imported from. */
export async function readOffer(transaction: Transaction): Promise<Offer> {
  return {
    catalogue: await readCatalogue(transaction),
    rates: await listRatesWithOrigins(transaction),
    names: await readDisplayNames(transaction),
  };
}
