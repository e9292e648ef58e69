import { isSameMeter, termsOf } from "../../shared/core/offer/catalogue-terms.ts";
import type { Rate } from "../../shared/core/offer/rate-card.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { listRates, setRate } from "../../shared/ledger/catalogue/rates.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";

export const INPUT_TOKENS = "llm.input_tokens";
export const OUTPUT_TOKENS = "llm.output_tokens";

/** A fixed instant, so that another run on the same servers has the same rates. */
const VALID_FROM = Date.UTC(2023, 0, 1);
const MILLION = 1_000_000n;

/**
 * 2.5 credits per million input tokens, 10 per million output tokens. An odd number of input tokens
 * ends in half a micro-credit, so about every second request tests the rounding.
 */
export const DEMO_RATES: readonly Rate[] = [
  { meter: INPUT_TOKENS, validFrom: VALID_FROM, credits: 2_500_000n, per: MILLION },
  { meter: OUTPUT_TOKENS, validFrom: VALID_FROM, credits: 10_000_000n, per: MILLION },
];

/** Sets the demo's rates. Throws when the meters have other prices already. */
export async function setDemoRates(database: Database): Promise<void> {
  for (const rate of DEMO_RATES) {
    await setRate(database, rate, Date.now(), DEFAULT_WINDOW.maxAheadMs);
    const rates = await listRates(database);
    const [only, ...others] = rates.filter(({ meter }) => meter === rate.meter);
    if (only === undefined || !isSameMeter(termsOf(only), rate) || others.length > 0) {
      throw new Error(
        `These servers have other prices for ${rate.meter}, so the demo cannot check what its usage costs. Unset DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL to run it on servers of its own.`,
      );
    }
  }
}
