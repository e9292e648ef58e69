import { type AccountVersion, mayCarry, versionInForce } from "../../core/offer/rate-card.ts";
import { cardOf, type Rates } from "../../core/offer/rates.ts";
import type { Carried, CarriedByVersion } from "../../core/usage/carried.ts";
import { type AccountGroups, forEachAccount } from "../../core/usage/group-columns.ts";
import { furtherMetersAt, meterAt, occurredAtAt } from "../../core/usage/usage-columns.ts";
import { bigintArray, columnsOf, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

// Dividing a bigint by 1000.0 would be a division of decimals.
const READ = `
  SELECT account_id AS "accountId", meter, valid_from AS "validFrom", remainder
  FROM unnest($1::text[], $2::text[], $3::float8[]) AS named (account_id, meter, instant)
  JOIN carried USING (account_id, meter)
  WHERE valid_from = to_timestamp(instant / 1000)`;

/** An account's usage is priced under a version of a meter. */
interface Priced {
  readonly accountId: string;
  readonly version: AccountVersion;
}

/**
 * The remainders that pricing the events needs, by account. Reads nothing if all rates are whole. Call it
 * after the last reading of accounts: whoever changes a remainder moves its account, so that the update of
 * the account notices a newer one.
 */
export async function readCarried(
  transaction: Transaction,
  rates: Rates,
  groups: AccountGroups,
): Promise<Map<string, CarriedByVersion>> {
  const carrying = new Set<string>();
  for (const [meter, ofMeter] of rates.list) if (ofMeter.some(mayCarry)) carrying.add(meter);
  if (carrying.size === 0 && rates.own.size === 0) return new Map();
  return readRemainders(transaction, pricedBy(rates, groups, carrying));
}

/** `carrying`: the meters of which a version of the list may carry. */
function pricedBy(rates: Rates, groups: AccountGroups, carrying: ReadonlySet<string>): Priced[] {
  const priced: Priced[] = [];
  forEachAccount(groups, (accountId, places) => {
    const ofAccount = new Set<AccountVersion>();
    const isOnList = !rates.own.has(accountId);
    const card = cardOf(rates, accountId);
    const add = (meter: string, place: number) => {
      if (isOnList && !carrying.has(meter)) return;
      const version = versionInForce(card, meter, occurredAtAt(groups.columns, place));
      if (typeof version !== "string" && mayCarry(version)) ofAccount.add(version);
    };
    for (const place of places) {
      add(meterAt(groups.columns, place), place);
      for (const meter of furtherMetersAt(groups.columns, place)) add(meter, place);
    }
    for (const version of ofAccount) priced.push({ accountId, version });
  });
  return priced;
}

/** The remainders of accounts under versions, by account. */
export async function readRemainders(
  transaction: Transaction,
  priced: readonly Priced[],
): Promise<Map<string, CarriedByVersion>> {
  const found = new Map<string, Map<AccountVersion, bigint>>();
  if (priced.length === 0) return found;
  const values = [
    textArray(priced.map(({ accountId }) => accountId)),
    textArray(priced.map(({ version }) => version.meter)),
    bigintArray(priced.map(({ version }) => version.validFrom)),
  ];
  const rows = await queryRows<Carried>(transaction, READ, values, "read-carried");
  const versions = new Map(priced.map((one) => [keyOf(one.accountId, one.version), one.version]));
  for (const { accountId, remainder, ...of } of rows) {
    const version = versions.get(keyOf(accountId, of));
    if (version === undefined) throw new Error(`no rate of ${of.meter} begins at ${of.validFrom}`);
    const ofAccount = found.get(accountId) ?? new Map<AccountVersion, bigint>();
    found.set(accountId, ofAccount.set(version, remainder));
  }
  return found;
}

/** Accounts with own terms have versions of their own, at any instant. */
function keyOf(
  accountId: string,
  { meter, validFrom }: Pick<AccountVersion, "meter" | "validFrom">,
): string {
  return `${accountId}\0${meter}\0${validFrom}`;
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
