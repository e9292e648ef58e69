import type { Books } from "../books/books.ts";

/** A plan as tests give it: credits a month, and its prices in minor units. */
export interface OfferedPlan {
  readonly credits: bigint;
  /** Default: usual. */
  readonly life?: "usual" | "never";
  readonly currency?: string;
}

/** Puts plans and add-ons (micro-credits a month for each unit) into the catalogue, from 1970 on. */
export async function offer(
  { database }: Pick<Books, "database">,
  plans: Readonly<Record<string, OfferedPlan>>,
  addOns: Readonly<Record<string, bigint>> = {},
): Promise<void> {
  for (const [planId, { credits, life = "usual", currency = "USD" }] of Object.entries(plans)) {
    await database.query(
      "INSERT INTO plan VALUES ($1, to_timestamp(0), $2, $3, NULL, 'immediately')",
      [planId, credits, life],
    );
    await database.query("INSERT INTO plan_price VALUES ($1, to_timestamp(0), $2, 2900, 29000)", [
      planId,
      currency,
    ]);
  }
  for (const [addOnId, credits] of Object.entries(addOns)) {
    await database.query("INSERT INTO add_on VALUES ($1, to_timestamp(0), $2)", [addOnId, credits]);
  }
}
