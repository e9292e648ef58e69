import type { AddOn, Catalogue, CreditPrice, LotLife, Plan } from "../../core/offer/catalogue.ts";
import type { Database, Transaction } from "../postgres/database.ts";

/** One statement, so that all of it is of one instant and no plan is without its prices. */
const READ = `
  SELECT 'plan', plan_id, (extract(epoch FROM valid_from) * 1000)::bigint, credits, life, life_months,
    ARRAY(
      SELECT currency FROM plan_price p
      WHERE (p.plan_id, p.valid_from) = (plan.plan_id, plan.valid_from) ORDER BY currency
    ),
    ARRAY(
      SELECT monthly FROM plan_price p
      WHERE (p.plan_id, p.valid_from) = (plan.plan_id, plan.valid_from) ORDER BY currency
    ),
    ARRAY(
      SELECT yearly FROM plan_price p
      WHERE (p.plan_id, p.valid_from) = (plan.plan_id, plan.valid_from) ORDER BY currency
    )
  FROM plan
  UNION ALL
  SELECT 'add_on', add_on_id, (extract(epoch FROM valid_from) * 1000)::bigint, credits, 'usual', NULL,
    '{}', '{}', '{}'
  FROM add_on
  UNION ALL
  SELECT 'credit_price', currency, (extract(epoch FROM valid_from) * 1000)::bigint, credits, life,
    life_months, '{}', '{}', '{}'
  FROM credit_price
  ORDER BY 1, 2, 3`;

type Row = [
  kind: "plan" | "add_on" | "credit_price",
  id: string,
  validFrom: string,
  credits: string,
  life: LotLife["kind"],
  lifeMonths: number | null,
  currencies: string[],
  monthly: string[],
  yearly: string[],
];

/** All versions of all plans, add-ons and credit prices. */
export async function readCatalogue(database: Database | Transaction): Promise<Catalogue> {
  const { rows } = await database.query<Row>({
    name: "read-catalogue",
    text: READ,
    rowMode: "array",
  });
  return toCatalogue(rows);
}

function toCatalogue(rows: readonly Row[]): Catalogue {
  const plans = new Map<string, Plan[]>();
  const addOns = new Map<string, AddOn[]>();
  const creditPrices = new Map<string, CreditPrice[]>();
  for (const row of rows) {
    const [kind, id] = row;
    const validFrom = Number(row[2]);
    const credits = BigInt(row[3]);
    const life = toLife(row);
    switch (kind) {
      case "plan":
        add(plans, id, { planId: id, validFrom, credits, life, prices: toPrices(row) });
        break;
      case "add_on":
        add(addOns, id, { addOnId: id, validFrom, credits });
        break;
      case "credit_price":
        add(creditPrices, id, { currency: id, validFrom, credits, life });
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

function toLife([, , , , kind, months]: Row): LotLife {
  return kind === "months" ? { kind, months: months ?? 0 } : { kind };
}

function toPrices([, , , , , , currencies, monthly, yearly]: Row): Plan["prices"] {
  return currencies.map((currency, at) => ({
    currency,
    monthly: BigInt(monthly[at] ?? 0),
    yearly: BigInt(yearly[at] ?? 0),
  }));
}
