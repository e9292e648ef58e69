import { z } from "zod";
import { SCOPES, type Scope } from "../core/text/scopes.ts";
import { noun } from "./noun.ts";
import { instant } from "./wire.ts";

/** What a key may do. */
export const scope = z.enum(SCOPES);

export const MAX_KEY_NAME_LENGTH = 200;
export const MAX_KEY_ACCOUNTS = 1_000;

/** A key of the API, without its secret. */
const apiKey = noun({
  key_id: z.string(),
  name: z.string(),
  // A newer version may have added scopes.
  scopes: z.array(z.string()),
  account_ids: z
    .array(z.string())
    .nullable()
    .meta({ description: "The only accounts that it opens; null: all of them." }),
  created_by: z.string(),
  created_at: instant,
  expires_at: instant.nullable().meta({ description: "null: it does not expire." }),
  revoked_at: instant.nullable(),
  revoked_by: z.string().nullable(),
  last_used_at: instant.nullable(),
}).meta({ title: "API key" });

export const newApiKeyFields = {
  key_id: z.string(),
  key: z.string().meta({ description: "Shown once; keep it where secrets are kept." }),
};

export const newApiKey = noun(newApiKeyFields).meta({ title: "Created API key" });

export const apiKeys = noun({ items: z.array(apiKey) }).meta({ title: "API keys" });

/** Why no key can be made so; null: one can. */
export function newKeyProblem(
  key: {
    readonly scopes: readonly Scope[];
    readonly expiresAt: number | null;
    readonly accountIds: readonly string[] | null;
  },
  now: number,
): { readonly field: "expires_at" | "account_ids"; readonly what: string } | null {
  if (key.expiresAt !== null && key.expiresAt <= now) {
    return { field: "expires_at", what: "has passed already" };
  }
  if (key.accountIds !== null && key.scopes.includes("admin")) {
    return {
      field: "account_ids",
      what: "cannot restrict the scope admin, which opens everything",
    };
  }
  return null;
}
