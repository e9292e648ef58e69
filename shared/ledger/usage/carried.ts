import { type CountedMonth, countedMonth, mayCount } from "../../core/offer/month-price.ts";
import { type AccountVersion, mayCarry, versionInForce } from "../../core/offer/rate-card.ts";
import { cardOf, type Rates } from "../../core/offer/rates.ts";
import type { Carried, CarriedByVersion, MonthUsage } from "../../core/usage/carried.ts";
import { type AccountGroups, forEachAccount } from "../../core/usage/group-columns.ts";
import { furtherMetersAt, meterAt, occurredAtAt } from "../../core/usage/usage-columns.ts";
import { bigintArray, columnsOf, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

// Dividing a bigint by 1000.0 would be a division of decimals.
const READ = `
  SELECT account_id AS "accountId", meter, valid_from AS "validFrom", remainder AS amount
  FROM unnest($1::text[], $2::text[], $3::float8[]) AS named (account_id, meter, instant)
  JOIN carried USING (account_id, meter)
  WHERE valid_from = to_timestamp(instant / 1000)`;

const READ_MONTHS = `
  SELECT account_id AS "accountId", meter, valid_from AS "validFrom", month, quantity::text AS amount
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[])
    AS named (account_id, meter, instant, month_instant)
  JOIN month_usage USING (account_id, meter)
  WHERE valid_from = to_timestamp(instant / 1000) AND month = to_timestamp(month_instant / 1000)`;

/** What an account carries that may price some of its usage. */
export interface Needed {
  readonly accountId: string;
  readonly of: AccountVersion | CountedMonth;
}

/**
 * The remainders, and what was used in months, that pricing the events needs, by account. Reads nothing if all rates
 * are whole and count nothing. Call it after the last reading of accounts: whoever changes what is carried moves its
 * account, so that the update of the account notices a newer one.
 */
export async function readCarried(
  transaction: Transaction,
  rates: Rates,
  groups: AccountGroups,
): Promise<Map<string, CarriedByVersion>> {
  const carrying = new Set<string>();
  for (const [meter, ofMeter] of rates.list) {
    if (ofMeter.some((version) => mayCarry(version) || mayCount(version))) carrying.add(meter);
  }
  if (carrying.size === 0 && rates.own.size === 0) return new Map();
  return readAmounts(transaction, neededBy(rates, groups, carrying));
}

/** `carrying`: the meters of which a version of the list may carry or count. */
function neededBy(rates: Rates, groups: AccountGroups, carrying: ReadonlySet<string>): Needed[] {
  const needed: Needed[] = [];
  forEachAccount(groups, (accountId, places) => {
    const ofAccount = new Set<Needed["of"]>();
    const isOnList = !rates.own.has(accountId);
    const card = cardOf(rates, accountId);
    const add = (meter: string, place: number) => {
      if (isOnList && !carrying.has(meter)) return;
      const occurredAt = occurredAtAt(groups.columns, place);
      const version = versionInForce(card, meter, occurredAt);
      if (typeof version === "string") return;
      for (const of of carriedUnder(version, occurredAt)) ofAccount.add(of);
    };
    for (const place of places) {
      add(meterAt(groups.columns, place), place);
      for (const meter of furtherMetersAt(groups.columns, place)) add(meter, place);
    }
    for (const of of ofAccount) needed.push({ accountId, of });
  });
  return needed;
}

/** What may price usage under a version, that occurred then. */
export function carriedUnder(version: AccountVersion, occurredAt: number): readonly Needed["of"][] {
  return [
    ...(mayCarry(version) ? [version] : []),
    ...(mayCount(version) ? [countedMonth(version, occurredAt)] : []),
  ];
}

/** What accounts carry, by account. */
export async function readAmounts(
  transaction: Transaction,
  needed: readonly Needed[],
): Promise<Map<string, CarriedByVersion>> {
  const found = new Map<string, Map<Needed["of"], bigint>>();
  if (needed.length === 0) return found;
  const keys = needed.map((one) => ({ ...one, key: keyOf(one.accountId, namesOf(one.of)) }));
  const known = new Map(keys.map(({ key, of }) => [key, of]));
  const [months, versions] = [
    keys.filter(({ of }) => "month" in of),
    keys.filter(({ of }) => !("month" in of)),
  ];
  const rows = [
    ...(await readRows(transaction, READ, "read-carried", versions)),
    ...(await readRows(transaction, READ_MONTHS, "read-month-usage", months)),
  ];
  for (const { accountId, amount, ...of } of rows) {
    const version = known.get(keyOf(accountId, of));
    if (version === undefined) throw new Error(`no rate of ${of.meter} begins at ${of.validFrom}`);
    const ofAccount = found.get(accountId) ?? new Map<Needed["of"], bigint>();
    found.set(accountId, ofAccount.set(version, BigInt(amount)));
  }
  return found;
}

interface Names {
  readonly meter: string;
  readonly validFrom: number;
  readonly month?: number;
}

interface Row extends Names {
  readonly accountId: string;
  readonly amount: bigint | string;
}

async function readRows(
  transaction: Transaction,
  statement: string,
  name: string,
  needed: readonly Needed[],
): Promise<readonly Row[]> {
  if (needed.length === 0) return [];
  const names = needed.map(({ of }) => namesOf(of));
  const months = names.flatMap(({ month }) => (month === undefined ? [] : [month]));
  const values = [
    textArray(needed.map(({ accountId }) => accountId)),
    textArray(names.map(({ meter }) => meter)),
    bigintArray(names.map(({ validFrom }) => validFrom)),
    ...(months.length === 0 ? [] : [bigintArray(months)]),
  ];
  return queryRows<Row>(transaction, statement, values, name);
}

function namesOf(of: Needed["of"]): Names {
  if (!("month" in of)) return { meter: of.meter, validFrom: of.validFrom };
  return { meter: of.of.meter, validFrom: of.of.validFrom, month: of.month };
}

/** Accounts with own terms have versions of their own, at any instant. */
function keyOf(accountId: string, { meter, validFrom, month }: Names): string {
  return `${accountId}\0${meter}\0${validFrom}\0${month ?? ""}`;
}

const WRITE = `
  INSERT INTO carried (account_id, meter, valid_from, remainder)
  SELECT account_id, meter, to_timestamp(instant / 1000), remainder
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::bigint[])
    AS changed (account_id, meter, instant, remainder)
  ON CONFLICT (account_id, meter, valid_from) DO UPDATE SET remainder = excluded.remainder`;

/** Writes the remainders that a batch changed, after its accounts: who moved them waits there. */
export async function writeCarried(
  transaction: Transaction,
  changed: readonly Carried[],
): Promise<void> {
  if (changed.length === 0) return;
  await transaction.query({
    name: "write-carried",
    text: WRITE,
    values: columnsOf(changed, "accountId", "meter", "validFrom", "remainder"),
  });
}

const WRITE_MONTHS = `
  INSERT INTO month_usage (account_id, meter, valid_from, month, quantity)
  SELECT account_id, meter, to_timestamp(instant / 1000), to_timestamp(month_instant / 1000), quantity
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::numeric[])
    AS changed (account_id, meter, instant, month_instant, quantity)
  ON CONFLICT (account_id, meter, valid_from, month) DO UPDATE SET quantity = excluded.quantity`;

/** Writes what was used in months, where a batch changed it, after its accounts as well. */
export async function writeMonths(
  transaction: Transaction,
  changed: readonly MonthUsage[],
): Promise<void> {
  if (changed.length === 0) return;
  await transaction.query({
    name: "write-month-usage",
    text: WRITE_MONTHS,
    values: columnsOf(changed, "accountId", "meter", "validFrom", "month", "quantity"),
  });
}
