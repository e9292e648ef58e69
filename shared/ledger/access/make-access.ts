import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Scope } from "../../core/text/scopes.ts";
import type { Database } from "../postgres/database.ts";
import { insertApiKey, listApiKeys } from "./api-keys.ts";
import { newKey, newToken } from "./api-secrets.ts";
import { insertDashboardToken } from "./dashboard-tokens.ts";

/** Makes an API key. `text` is the secret to send with requests; it is not stored. */
export async function makeApiKey(
  database: Database,
  asked: {
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly createdBy: string;
    /** Null or left out: it does not expire. */
    readonly expiresAt?: Instant | null;
    /** Null or left out: it opens all accounts. */
    readonly accountIds?: readonly string[] | null;
    readonly now: Instant;
  },
): Promise<{ readonly keyId: string; readonly text: string }> {
  const { text, keyId, hash } = newKey();
  const { name, scopes, createdBy, now: createdAt, expiresAt = null, accountIds = null } = asked;
  const key = { keyId, name, scopes, createdBy, createdAt, expiresAt, accountIds };
  await insertApiKey(database, key, hash);
  return { keyId, text };
}

export interface DashboardToken {
  readonly text: string;
  readonly expiresAt: Instant;
}

/** Makes a dashboard token with a key; null: there is no such account. */
export async function makeDashboardToken(
  database: Database,
  asked: {
    readonly accountId: AccountId;
    readonly keyId: string;
    readonly forMs: number;
    /** It may read its account and change nothing. */
    readonly readOnly: boolean;
    readonly now: Instant;
  },
): Promise<DashboardToken | null> {
  const { accountId, keyId, readOnly, now } = asked;
  const { text, hash } = newToken(accountId, readOnly);
  const expiresAt = now + asked.forMs;
  const token = { accountId, secretHash: hash, keyId, expiresAt, readOnly };
  return (await insertDashboardToken(database, token)) ? { text, expiresAt } : null;
}

const LINKS = "dashboard links";

/**
 * The id of the key that dashboard links made by hand belong to, made when first needed. The key itself
 * has no scopes; revoking it revokes the links.
 */
export async function dashboardLinkKey(
  database: Database,
  asked: { readonly createdBy: string; readonly now: Instant },
): Promise<string> {
  const keys = await listApiKeys(database);
  const existing = keys.find(({ name, revokedAt }) => name === LINKS && revokedAt === null);
  if (existing !== undefined) return existing.keyId;
  return (await makeApiKey(database, { name: LINKS, scopes: [], ...asked })).keyId;
}
