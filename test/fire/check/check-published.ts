import type { Codec } from "../load/avro.ts";
import type { Books } from "./books.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { TopicRecord } from "./read-topic.ts";

/**
 * A consumer that drops what is not newer than the last it took, as docs/topics.md tells, misses
 * nothing: each account's sequence counts up without a gap. Returns the last one of each account.
 */
export function checkOrder(
  topic: string,
  records: readonly TopicRecord[],
  mayHaveGaps: boolean,
): { checked: Checked; last: ReadonlyMap<string, bigint> } {
  const findings = openFindings(`${topic} is complete and in order for each account`);
  const last = new Map<string, bigint>();
  for (const { key, headers, partition, offset } of records) {
    const account = key ?? "";
    const sequence = BigInt(headers["sequence"] ?? -1);
    const before = last.get(account) ?? 0n;
    if (sequence <= before) continue;
    if (!mayHaveGaps && sequence !== before + 1n) {
      findings.add(`${account}: ${sequence} comes after ${before}, at ${partition}:${offset}`);
    }
    last.set(account, sequence);
  }
  return { checked: findings.done(records.length), last };
}

/** Each entry of the books is on billing.credits. */
export function checkEntries({ entries }: Books, last: ReadonlyMap<string, bigint>): Checked {
  const findings = openFindings("each entry is on billing.credits");
  for (const { account_id, sequence } of entries) {
    if ((last.get(account_id) ?? 0n) < sequence) findings.add(`${account_id} ${sequence} is not`);
  }
  return findings.done(entries.length);
}

interface BalanceRecord {
  readonly version: bigint;
  readonly granted: bigint;
  readonly position: bigint;
  readonly held: bigint;
}

/** The last record of each account, which compaction keeps, is the books' newest state. A hold makes one, too. */
export function checkBalances(
  { accounts, held: holding }: Books,
  records: readonly TopicRecord[],
  codec: Codec,
): Checked {
  const findings = openFindings("billing.balances ends with the books");
  const last = new Map<string, BalanceRecord>();
  for (const { key, value } of records) {
    last.set(key ?? "", codec.fromBuffer(value.subarray(5)) as BalanceRecord);
  }
  const holds = new Map(holding.map((of) => [of.account_id, of]));
  for (const { account_id, version, granted, position } of accounts) {
    const told = last.get(account_id);
    const { held = 0n, hold_changes = 0n } = holds.get(account_id) ?? {};
    const is = stateText({ version: version + hold_changes, granted, position, held });
    const was = told === undefined ? "nothing" : stateText(told);
    if (is !== was)
      findings.add(`${account_id}: the topic ends with ${was}, the books are at ${is}`);
  }
  return findings.done(accounts.length);
}

function stateText({ version, granted, position, held }: BalanceRecord): string {
  return `version ${version}, ${granted} - ${position}, ${held} held`;
}
