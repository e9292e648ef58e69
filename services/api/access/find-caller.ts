import type { Instant } from "../../../shared/core/line/account.ts";
import { idProblem, toAccountId } from "../../../shared/core/text/text.ts";
import { findApiKey, recordKeyUse } from "../../../shared/ledger/access/api-keys.ts";
import { isSame, readSecret, type Secret } from "../../../shared/ledger/access/api-secrets.ts";
import { findDashboardToken } from "../../../shared/ledger/access/dashboard-tokens.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Caller } from "./caller.ts";

/** Why a text opens nothing. */
export const WRONG_KEYS = ["malformed", "unknown", "revoked", "expired"] as const;
export type WrongKey = (typeof WRONG_KEYS)[number];

/** How long a key or token is cached. Revoking one takes effect within this time. */
const CACHED_MS = 2_000;
const MOST_CACHED = 10_000;
const RECORD_USE_EVERY_MS = 60_000;

interface CachedCaller {
  readonly caller: Caller;
  readonly until: Instant;
}

/** Finds the caller of a key or token; each is read from the books once in two seconds at most. */
export function callerFinder(database: Database) {
  const cache = new Map<string, CachedCaller>();
  const useRecordedAt = new Map<string, Instant>();

  async function find(text: string, now: Instant): Promise<Caller | WrongKey> {
    const cached = cache.get(text);
    if (cached !== undefined && cached.until > now) return ifNotExpired(cached.caller, now);
    const secret = readSecret(text);
    if (secret === null) return "malformed";
    const caller = await (secret.kind === "token" ? findToken(secret) : findKey(secret, now));
    if (typeof caller === "string") {
      cache.delete(text);
      return caller;
    }
    if (cache.size >= MOST_CACHED) cache.clear();
    cache.set(text, { caller, until: now + CACHED_MS });
    return ifNotExpired(caller, now);
  }

  async function findToken({ accountId, hash }: TokenSecret): Promise<Caller | WrongKey> {
    if (idProblem("account id", accountId) !== null) return "malformed";
    const stored = await findDashboardToken(database, toAccountId(accountId), hash);
    if (stored === null) return "unknown";
    const { expiresAt: endsAt, readOnly } = stored;
    return { kind: "token", accountId, secretHash: hash, endsAt, readOnly };
  }

  async function findKey({ keyId, hash }: KeySecret, now: Instant): Promise<Caller | WrongKey> {
    const found = await findApiKey(database, keyId);
    if (found === null || !isSame(found.secretHash, hash)) return "unknown";
    const { name, scopes, accountIds, revokedAt, expiresAt: endsAt } = found.key;
    if (revokedAt !== null) return "revoked";
    if (now - (useRecordedAt.get(keyId) ?? 0) >= RECORD_USE_EVERY_MS) {
      useRecordedAt.set(keyId, now);
      await recordKeyUse(database, keyId, now);
    }
    return {
      ...{ kind: "key", keyId, name, scopes, endsAt },
      accountIds: accountIds && new Set(accountIds),
    };
  }

  return {
    find,
    /** True for a text that was right when it was last looked up. */
    wasRight: (text: string) => cache.has(text),
  };
}

type TokenSecret = Extract<Secret, { kind: "token" }>;
type KeySecret = Extract<Secret, { kind: "key" }>;

function ifNotExpired(caller: Caller, now: Instant): Caller | WrongKey {
  return caller.endsAt !== null && caller.endsAt <= now ? "expired" : caller;
}
