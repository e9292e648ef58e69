import type { FastifyInstance } from "fastify";
import { catalogue, toCatalogue } from "../../../shared/contract/catalogue.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { REFUSALS, type RouteParts, typed } from "./parts.ts";

export function catalogueRoutes(app: FastifyInstance, { database }: RouteParts): void {
  typed(app).get(
    "/v1/catalogue",
    {
      config: { access: "read" },
      schema: {
        summary: "What is on offer: all versions of meters, plans, add-ons and credit prices",
        tags: ["catalogue"],
        response: { 200: catalogue, ...REFUSALS },
      },
    },
    () =>
      readSnapshot(database, async (transaction) =>
        toCatalogue(await readCatalogue(transaction), await listRates(transaction)),
      ),
  );
}
