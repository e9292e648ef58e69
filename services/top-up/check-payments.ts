import { standstill } from "../../shared/kafka/health/standstill.ts";
import { countLongPending } from "../../shared/ledger/payments/claim.ts";
import { firstDuePayment } from "../../shared/ledger/payments/first-due.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { Health } from "../../shared/runtime/health/health.ts";
import type { WatchedGateway } from "./watch-gateway.ts";

/**
 * Checks that payments that are due are taken, whichever process takes them, and that a gateway that answers
 * says what became of them.
 */
export function checkPayments(
  health: Health,
  parts: {
    readonly database: Database;
    readonly watched: Pick<WatchedGateway, "gateway" | "failing">;
    /** The server whose books are compared with the gateway's charges, as in `claimPayments`. */
    comparedOn(): string;
    /** How long the same payment may wait to be taken. */
    readonly limitMs: number;
    /** How long an outcome may be unknown. */
    readonly pendingMs: number;
    now(): number;
  },
): void {
  const { database, watched, comparedOn, limitMs, pendingMs, now } = parts;
  const firstStands = standstill();
  health.state("payments", async () => {
    const due = { now: now(), gateway: watched.gateway.name, comparedOn: comparedOn() };
    const forMs = firstStands(await firstDuePayment(database, due));
    if (forMs >= limitMs) return { reason: "payments are due, and no process takes them", forMs };
    if (watched.failing() !== null) return null;
    const { count, since } = await countLongPending(database, now() - pendingMs);
    if (since === null) return null;
    const reason = `the gateway answers, but payments have been pending for long: ${count}`;
    return { reason, forMs: now() - since };
  });
}
