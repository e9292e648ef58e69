import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, instant } from "./wire.ts";

/** What opens one account's dashboard for a while. */
export const dashboardTokenFields = {
  account_id: accountId,
  token: z.string().meta({ description: "Shown once. It opens this account and nothing else." }),
  expires_at: instant,
  dashboard: z.string().meta({ description: "Where the dashboard is, from this server on." }),
};

export const dashboardToken = noun(dashboardTokenFields);

/** Where a token opens the dashboard, from the server on. */
export function dashboardPath(token: string): string {
  return `/dashboard/#token=${token}`;
}
