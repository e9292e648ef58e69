import { z } from "zod";
import { noun } from "./noun.ts";
import { instant } from "./wire.ts";

/** What a key may do. */
export const scope = z.enum(["ingest", "read", "billing", "admin"]);

export const MAX_KEY_NAME_LENGTH = 200;

/** A key of the API, without its secret. */
const apiKey = noun({
  key_id: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  created_by: z.string(),
  created_at: instant,
  revoked_at: instant.nullable(),
  last_used_at: instant.nullable(),
});

export const newApiKeyFields = {
  key_id: z.string(),
  key: z.string().meta({ description: "Shown once; keep it where secrets are kept." }),
};

export const newApiKey = noun(newApiKeyFields);

export const apiKeys = noun({ items: z.array(apiKey) });
