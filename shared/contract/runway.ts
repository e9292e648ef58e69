import type { z } from "zod";
import { noun } from "./noun.ts";
import { credits, instant } from "./wire.ts";

/** How long the credits last at the recent pace. */
export const runway = noun({
  balance: credits.meta({ description: "Micro-credits left to use, as in the balance." }),
  pace_per_day: credits,
  pace_from: instant,
  pace_to: instant,
  lasts_until: instant.nullable().meta({ description: "null: nothing was used, or for years." }),
  expires_unused: credits.meta({ description: "What ends, at this pace, before it is used." }),
}).meta({ title: "Runway" });

export type RunwayData = z.input<typeof runway>;
