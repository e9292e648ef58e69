import type { Books } from "./books.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { Model, Rest } from "./model.ts";

/** The books come to the balance of the model, and to the same rest of every lot. */
export function checkAccounts(books: Books, models: readonly Model[]): Checked {
  const findings = openFindings("balance and lots of each account are those of the model");
  const lots = Map.groupBy(books.lots, ({ account_id }) => account_id);
  const byId = new Map(books.accounts.map((account) => [account.account_id, account]));
  for (const { account, balance, rests } of models) {
    const { id } = account;
    const booked = byId.get(id);
    if (booked === undefined) {
      findings.add(`${id} is not in the books`);
      continue;
    }
    const { granted, position } = booked;
    if (granted - position !== balance) {
      findings.add(`${id} has ${granted - position} micro-credits, not ${balance}`);
    }
    const line = (lots.get(id) ?? []).map((lot) => ({
      id: lot.lot_id,
      left: atLeastZero(lot.end_position - larger(lot.start_position, position)),
    }));
    if (shown(line) !== shown(rests)) {
      findings.add(`${id} has lots ${shown(line)}, not ${shown(rests)}`);
    }
  }
  return findings.done(models.length);
}

function shown(lots: readonly Rest[]): string {
  return lots.map(({ id, left }) => `${id}=${left}`).join(" ");
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
