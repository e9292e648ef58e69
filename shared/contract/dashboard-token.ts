import { z } from "zod";
import { type PageRequest, pageFromFirst } from "./cursor.ts";
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

export const dashboardToken = noun(dashboardTokenFields).meta({ title: "Dashboard token" });

/** A token in the list of its account, without its secret. */
export const listedToken = noun({
  token_id: z.string(),
  key_id: z.string().meta({ description: "The key that made it." }),
  expires_at: instant,
  read_only: z.boolean(),
}).meta({ title: "Listed dashboard token" });

/** A page of an account's tokens; `readFirst` returns the first `count`. */
export function tokenPage<T>(
  range: PageRequest,
  readFirst: (count: number) => Promise<readonly T[]>,
) {
  return pageFromFirst("dashboard-tokens", range, readFirst);
}

/** The path of a dashboard link, relative to the server. */
export function dashboardPath(token: string): string {
  return `/dashboard/#token=${token}`;
}
