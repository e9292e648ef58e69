import type { FireAccount } from "../load/accounts.ts";
import type { Books } from "./books.ts";
import type { ExpectedUsage } from "./expected-usage.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { GatewayPayment } from "./gateway.ts";
import { ADD_ON_CREDITS, CREDITS_A_CENT, PLAN_CREDITS, priceOf } from "./prices.ts";

interface Lot {
  readonly id: string;
  readonly credits: bigint;
}

/** What is left of a lot. */
interface Remainder {
  readonly id: string;
  readonly left: bigint;
}

/**
 * An account as a pile of lots, without a line: what came in, in order, and what usage takes from the
 * oldest. The books must come to the same balance, and to the same rest of every lot.
 */
export function checkAccounts(
  books: Books,
  expected: ExpectedUsage,
  accounts: readonly FireAccount[],
  payments: readonly GatewayPayment[],
): Checked {
  const findings = openFindings("balance and lots of each account are those of the model");
  const used = usageByAccount(expected);
  const lots = Map.groupBy(books.lots, ({ account_id }) => account_id);
  const byId = new Map(books.accounts.map((account) => [account.account_id, account]));
  for (const account of accounts) {
    const booked = byId.get(account.id);
    if (booked === undefined) {
      findings.add(`${account.id} is not in the books`);
      continue;
    }
    const came = lotsOf(account, payments);
    const spent = (used.get(account.id) ?? 0n) + BigInt(account.addOns ?? 0) * ADD_ON_CREDITS;
    const balance = came.reduce((sum, { credits }) => sum + credits, 0n) - spent;
    if (booked.granted - booked.position !== balance) {
      findings.add(
        `${account.id} has ${booked.granted - booked.position} micro-credits, not ${balance}`,
      );
    }
    const model = drawOldest(came, spent);
    const line = (lots.get(account.id) ?? []).map((lot) => ({
      id: lot.lot_id,
      left: atLeastZero(lot.end_position - larger(lot.start_position, booked.position)),
    }));
    if (shown(line) !== shown(model)) {
      findings.add(`${account.id} has lots ${shown(line)}, not ${shown(model)}`);
    }
  }
  return findings.done(accounts.length);
}

function usageByAccount({ events }: ExpectedUsage): Map<string, bigint> {
  const quantities = new Map<string, Map<string, bigint>>();
  for (const [message] of events.values()) {
    if (message === undefined) continue;
    const { account_id, meter, quantity } = message.usage;
    const meters = quantities.get(account_id) ?? new Map<string, bigint>();
    meters.set(meter, (meters.get(meter) ?? 0n) + quantity);
    quantities.set(account_id, meters);
  }
  return new Map(
    [...quantities].map(([account, meters]) => [
      account,
      [...meters].reduce((sum, [meter, quantity]) => sum + priceOf(meter, quantity), 0n),
    ]),
  );
}

/** What the account was given, what it bought by the gateway's own list, and its plan's month, once. */
function lotsOf(account: FireAccount, payments: readonly GatewayPayment[]): Lot[] {
  const granted = account.grants.map((credits, index) => ({
    id: `granted-${index}`,
    credits: BigInt(credits) * 1_000_000n,
  }));
  const plan = account.addOns === null ? [] : [{ id: "plan:1:0", credits: PLAN_CREDITS }];
  const bought = payments
    .filter(({ account_id, payment_id, status }) => {
      return account_id === account.id && status === "succeeded" && !payment_id.startsWith("fee:");
    })
    .map(({ payment_id, amount }) => ({
      id: `top-up:${payment_id}`,
      credits: BigInt(amount) * CREDITS_A_CENT,
    }));
  return [...granted, ...plan, ...bought];
}

function drawOldest(lots: readonly Lot[], spent: bigint): Remainder[] {
  let left = spent;
  return lots.map(({ id, credits }) => {
    const taken = left < credits ? left : credits;
    left -= taken;
    return { id, left: credits - taken };
  });
}

function shown(lots: readonly Remainder[]): string {
  return lots.map(({ id, left }) => `${id}=${left}`).join(" ");
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
