import type { FireAccount } from "../load/accounts.ts";
import type { Books } from "./books.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { GatewayPayment } from "./gateway.ts";

const CROSSING = /^low-balance:(\d+)(?::\d+)?$/;

/** Money moved once for each crossing, by the gateway's own list, and the books know of all of it. */
export function checkCharges({ payments }: Books, charged: readonly GatewayPayment[]): Checked {
  const findings = openFindings("each crossing is charged once, at the gateway and in the books");
  const succeeded = charged.filter(({ status }) => status === "succeeded");
  for (const [what, times] of countBy(succeeded, chargeOf)) {
    if (times > 1) findings.add(`${what} is charged ${times} times`);
  }
  const atGateway = countBy(succeeded, same);
  const inBooks = countBy(
    payments.filter(({ status }) => status === "succeeded"),
    same,
  );
  for (const what of new Set([...atGateway.keys(), ...inBooks.keys()])) {
    const [here, there] = [inBooks.get(what) ?? 0, atGateway.get(what) ?? 0];
    if (here !== there) findings.add(`${what}: ${there} at the gateway, ${here} in the books`);
  }
  for (const { account_id, payment_id, status } of payments) {
    if (status === "pending") findings.add(`${account_id} ${payment_id} is still pending`);
  }
  return findings.done(succeeded.length);
}

/** Whoever has a card that pays is not left low. */
export function checkNobodyIsLow({ accounts }: Books, world: readonly FireAccount[]): Checked {
  const findings = openFindings("nobody with a card that pays is left low");
  const payers = new Set(
    world
      .filter(({ card }) => card !== null && !card.startsWith("card_decline"))
      .map(({ id }) => id),
  );
  for (const { account_id, granted, position, threshold } of accounts) {
    if (!payers.has(account_id) || granted - position > threshold) continue;
    findings.add(`${account_id} has ${granted - position} micro-credits`);
  }
  return findings.done(payers.size);
}

/** What may be charged once: a crossing, whatever the attempt; or a payment of another kind. */
function chargeOf({ account_id, payment_id }: GatewayPayment): string {
  const crossing = CROSSING.exec(payment_id)?.[1];
  return `${account_id} ${crossing === undefined ? payment_id : `crossing ${crossing}`}`;
}

function same(payment: {
  account_id: string;
  payment_id: string;
  amount: string | bigint;
}): string {
  return `${payment.account_id} ${payment.payment_id} of ${payment.amount} cents`;
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}
