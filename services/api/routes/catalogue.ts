import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { LotLife } from "../../../shared/core/offer/catalogue.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { count, credits, instant, money } from "../wire.ts";
import { REFUSALS, type RouteParts, typed } from "./parts.ts";

const life = z
  .object({ kind: z.enum(["usual", "months", "never"]), months: z.number().int().nullable() })
  .meta({ description: "How long lots live; usual: two months." });

const catalogueView = z.object({
  meters: z.array(z.object({ meter: z.string(), credits, per: count, valid_from: instant })),
  plans: z.array(
    z.object({
      plan_id: z.string(),
      credits,
      valid_from: instant,
      life,
      prices: z.array(z.object({ currency: z.string(), monthly: money, yearly: money })),
    }),
  ),
  add_ons: z.array(z.object({ add_on_id: z.string(), credits, valid_from: instant })),
  credit_prices: z.array(z.object({ currency: z.string(), credits, valid_from: instant, life })),
});

export function catalogueRoutes(app: FastifyInstance, { database }: RouteParts): void {
  typed(app).get(
    "/v1/catalogue",
    {
      config: { access: "read" },
      schema: {
        summary: "What is on offer: all versions of meters, plans, add-ons and credit prices",
        tags: ["catalogue"],
        response: { 200: catalogueView, ...REFUSALS },
      },
    },
    () =>
      readSnapshot(database, async (transaction) => {
        const { plans, addOns, creditPrices } = await readCatalogue(transaction);
        const rates = await listRates(transaction);
        return {
          meters: rates.map(({ meter, credits: each, per, validFrom }) => ({
            ...{ meter, credits: each, per, valid_from: validFrom },
          })),
          plans: [...plans.values()].flat().map((plan) => ({
            plan_id: plan.planId,
            credits: plan.credits,
            valid_from: plan.validFrom,
            life: toLifeView(plan.life),
            prices: plan.prices.map((price) => ({ ...price })),
          })),
          add_ons: [...addOns.values()].flat().map((addOn) => ({
            ...{ add_on_id: addOn.addOnId, credits: addOn.credits, valid_from: addOn.validFrom },
          })),
          credit_prices: [...creditPrices.values()].flat().map((price) => ({
            ...{ currency: price.currency, credits: price.credits, valid_from: price.validFrom },
            life: toLifeView(price.life),
          })),
        };
      }),
  );
}

function toLifeView(lives: LotLife) {
  return { kind: lives.kind, months: lives.kind === "months" ? lives.months : null };
}
