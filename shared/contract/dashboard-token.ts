import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, instant } from "./wire.ts";

/** How long a token may work, and works by default. */
export const TOKEN_MINUTES = { most: 24 * 60, usual: 60 };

/** A token that opens one account's dashboard for some time. */
export const dashboardTokenFields = {
  account_id: accountId,
  token: z.string().meta({ description: "Shown once. It opens this account and nothing else." }),
  expires_at: instant,
  read_only: z.boolean().meta({ description: "It shows the account and changes nothing." }),
  dashboard: z.string().meta({ description: "Where the dashboard is, from this server on." }),
};

export const dashboardToken = noun(dashboardTokenFields);

/** The path of a dashboard link, relative to the server. */
export function dashboardPath(token: string): string {
  return `/dashboard/#token=${token}`;
}
