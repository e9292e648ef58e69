import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type {
  AddOn,
  Catalogue,
  CreditPrice,
  FirstCredits,
  FirstMonth,
  LotLife,
  Plan,
} from "../../core/offer/catalogue.ts";
import { type Queryable, queryRows } from "../postgres/database.ts";
import { LIFE } from "./lot-life.ts";

/** One statement, so that all of it is of one instant and no plan is without its prices. */
const READ = `
  SELECT 'plan' AS kind, plan_id AS id, valid_from AS "validFrom", credits, ${LIFE} AS life, set_by AS "setBy",
    first_credits AS "firstCredits", first_month AS "firstMonth",
    (
      SELECT coalesce(json_agg(json_build_object(
        'currency', currency, 'monthly', monthly::text, 'yearly', yearly::text)
        ORDER BY currency), '[]')
      FROM plan_price p
      WHERE (p.plan_id, p.valid_from) = (plan.plan_id, plan.valid_from)
    ) AS prices
  FROM plan
  UNION ALL
  SELECT 'add_on', add_on_id, valid_from, credits, NULL, set_by, NULL, NULL, '[]'
  FROM add_on
  UNION ALL
  SELECT 'credit_price', currency, valid_from, credits, ${LIFE}, set_by, NULL, NULL, '[]'
  FROM credit_price
  ORDER BY 1, 2, 3`;

interface Row {
  readonly kind: "plan" | "add_on" | "credit_price";
  readonly id: string;
  readonly validFrom: Instant;
  readonly credits: MicroCredits;
  readonly life: LotLife;
  readonly setBy: string | null;
  readonly firstCredits: FirstCredits;
  readonly firstMonth: FirstMonth;
  /** In JSON amounts are decimal strings. */
  readonly prices: readonly { currency: string; monthly: string; yearly: string }[];
}

/** All versions of all plans, add-ons and credit prices. */
export async function readCatalogue(database: Queryable): Promise<Catalogue> {
  return toCatalogue(await queryRows<Row>(database, READ, [], "read-catalogue"));
}

function toCatalogue(rows: readonly Row[]): Catalogue {
  const plans = new Map<string, Plan[]>();
  const addOns = new Map<string, AddOn[]>();
  const creditPrices = new Map<string, CreditPrice[]>();
  for (const { kind, id, validFrom, credits, life, setBy, prices, ...first } of rows) {
    switch (kind) {
      case "plan":
        add(plans, id, {
          ...{ planId: id, validFrom, credits, life, setBy, ...first },
          prices: prices.map(toPrice),
        });
        break;
      case "add_on":
        add(addOns, id, { addOnId: id, validFrom, credits, setBy });
        break;
      case "credit_price":
        add(creditPrices, id, { currency: id, validFrom, credits, life, setBy });
        break;
    }
  }
  return { plans, addOns, creditPrices };
}

function add<T>(items: Map<string, T[]>, id: string, version: T): void {
  const versions = items.get(id);
  if (versions === undefined) items.set(id, [version]);
  else versions.push(version);
}

function toPrice({ currency, monthly, yearly }: Row["prices"][number]): Plan["prices"][number] {
  return { currency, monthly: BigInt(monthly), yearly: BigInt(yearly) };
}
