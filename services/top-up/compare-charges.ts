import type { Instant } from "../../shared/core/line/account.ts";
import {
  chargesCompared,
  recordChargesCompared,
} from "../../shared/ledger/payments/charge-check.ts";
import {
  type ChargeAtGateway,
  findUnmatched,
  forgetMatched,
  forgetUnmatched,
  keepUnmatched,
  listUnmatched,
} from "../../shared/ledger/payments/charges-at-gateway.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { ListedCharge, PaymentGateway } from "./gateways/payment-gateway.ts";
import type { PaymentContext } from "./payment-context.ts";
import { isKeyOfPayment } from "./payment-key.ts";

/** Progress is recorded per day, so that a long comparison resumes after a restart. */
const DAY_MS = 24 * 60 * 60_000;
/** The gateway's clock may be behind or ahead by this much. */
const CLOCKS_APART_MS = 5 * 60_000;
/** A declined charge may succeed this much later, once the customer or the bank approves it. */
const PAID_LATE_MS = 7 * DAY_MS;
const BATCH = 500;

/**
 * Compares new charges, and once a day those of a week, with their payments, and re-checks charges that
 * did not match before. A charge that does not match is stored, and listed by `drawdown reconcile`. Throws
 * OutcomeUnknown if the gateway does not answer; progress is kept. `onNew`: called once all new charges are
 * compared, with the start of the Postgres server that has the books.
 */
export async function compareCharges(
  context: Pick<PaymentContext, "database" | "gateway" | "now"> & {
    readonly stopping?: AbortSignal;
    readonly onNew?: (server: string) => void;
  },
): Promise<void> {
  const { database, gateway, now, stopping, onNew = () => undefined } = context;
  const until = now();
  const known = await listUnmatched(database, null);
  const { to: from, on } = await chargesCompared(database, gateway.name);
  if (from === null) return onNew(on);
  const isNewDay = Math.floor(from / DAY_MS) < Math.floor(until / DAY_MS);
  // Another process's clock may be ahead of this one's.
  const unlisted = Math.min(from, until) - CLOCKS_APART_MS;
  // Payments may wait for what is new, and a week may be many pages.
  if (isNewDay && until - from <= DAY_MS) {
    await compareMade(database, gateway, unlisted, lastOf(until, until));
    onNew(on);
  }
  for (let since = isNewDay ? from - PAID_LATE_MS : unlisted; since < until; since += DAY_MS) {
    const to = Math.min(since + DAY_MS, until);
    await compareMade(database, gateway, since, lastOf(to, until));
    if (stopping?.aborted === true) return;
    await recordChargesCompared(database, gateway.name, { to, on });
  }
  onNew(on);
  await forgetMatched(database, gateway.name);
  // Not those just found: a top-up that was refunded is restored, and then withdrawn.
  for (const charge of known) {
    if (stopping?.aborted === true) return;
    if (charge.gateway !== gateway.name) continue;
    if (await tookNothing(gateway, charge)) await forgetUnmatched(database, gateway.name, charge);
  }
}

/** All of its money went back, or none was taken: it was under way when it was found, and was declined since. */
async function tookNothing(gateway: PaymentGateway, charge: ChargeAtGateway): Promise<boolean> {
  const { kind } = await gateway.stateOf(charge.gatewayPayment);
  if (kind === "declined") return true;
  const returned = await gateway.takenBack(charge.gatewayPayment);
  return returned.reduce((sum, part) => sum + part.amount, 0n) >= charge.amount;
}

/** Up to when charges are listed: a part of them up to its end, the last one beyond it. */
function lastOf(to: Instant, until: Instant): Instant {
  return to === until ? until + CLOCKS_APART_MS : to;
}

async function compareMade(
  database: Database,
  gateway: PaymentGateway,
  since: Instant,
  until: Instant,
): Promise<void> {
  let batch: ListedCharge[] = [];
  const compare = async () => {
    const unmatched = await findUnmatched(database, batch);
    batch = [];
    for (const { charge, accountCreatedAt } of unmatched) {
      const isOurs = accountCreatedAt !== null && isKeyOfPayment(charge, accountCreatedAt);
      if (isOurs) await keepUnmatched(database, gateway.name, charge);
    }
  };
  for await (const charge of gateway.listCharges(since, until)) {
    batch.push(charge);
    if (batch.length === BATCH) await compare();
  }
  await compare();
}
