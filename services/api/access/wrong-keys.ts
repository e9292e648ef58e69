import { createHash } from "node:crypto";
import type { Instant } from "../../../shared/core/line/account.ts";
import { readSecret } from "../../../shared/ledger/access/api-secrets.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";
import { WRONG_KEYS } from "./find-caller.ts";
import { networkOf } from "./network-of.ts";

export type WrongKeys = ReturnType<typeof openWrongKeys>;

const WINDOW_MS = 60_000;
/** The addresses that are counted; the one that was counted first makes room for another. */
const MOST_ADDRESSES = 10_000;
const MOST_LOGGED = 100;
const DIGEST_LENGTH = 12;

interface Attempts {
  readonly since: Instant;
  count: number;
}

/** Counts wrong keys: for each address, to limit them; in all, for the metrics; and logs the first ones. */
export function openWrongKeys(logger: Pick<Logger, "warn">, perMinute: number) {
  const byNetwork = new Map<string, Attempts>();
  // From 0 on: of a counter that begins with its first increment, Prometheus never sees that one.
  const counts = new Map<string, number>([...WRONG_KEYS, "limited"].map((reason) => [reason, 0]));
  let logged: Attempts = { since: 0, count: 0 };

  function attemptsOf(network: string, now: Instant): Attempts {
    const known = byNetwork.get(network);
    if (known !== undefined && now - known.since < WINDOW_MS) return known;
    byNetwork.delete(network);
    const [oldest] = byNetwork.size >= MOST_ADDRESSES ? byNetwork.keys() : [];
    if (oldest !== undefined) byNetwork.delete(oldest);
    const attempts = { since: now, count: 0 };
    byNetwork.set(network, attempts);
    return attempts;
  }

  function count(reason: string): void {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** Logs an address's first wrong key of a minute, and the one that reaches the limit. */
  function log(about: object, attempts: Attempts, now: Instant): void {
    if (attempts.count !== 1 && attempts.count !== perMinute) return;
    if (now - logged.since >= WINDOW_MS) logged = { since: now, count: 0 };
    logged.count += 1;
    if (logged.count <= MOST_LOGGED) logger.warn(about, "a wrong key was sent");
  }

  return {
    /** How long an address has to wait before another key of it is looked up; 0: not at all. */
    waitMs(address: string, now: Instant): number {
      const attempts = byNetwork.get(networkOf(address));
      if (attempts === undefined || attempts.count < perMinute) return 0;
      const wait = Math.max(0, attempts.since + WINDOW_MS - now);
      if (wait > 0) count("limited");
      return wait;
    },
    /** Counts a wrong key. The key itself is never logged: a digest tells whether it is the same again. */
    add(address: string, reason: string, text: string, now: Instant): void {
      count(reason);
      const attempts = attemptsOf(networkOf(address), now);
      attempts.count += 1;
      const secret = readSecret(text);
      const keyId = secret?.kind === "key" ? { key_id: secret.keyId } : {};
      log(
        { address, reason, ...keyId, digest: digestOf(text), wrong: attempts.count },
        attempts,
        now,
      );
    },
    counts: () => [...counts].map(([reason, number]) => ({ reason, count: number })),
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGEST_LENGTH);
}
