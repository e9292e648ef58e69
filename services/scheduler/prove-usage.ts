import type { Kafka } from "kafkajs";
import { formatCredits } from "../../shared/core/text/credits-text.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import type { Registry } from "../../shared/kafka/codec/registry.ts";
import { type Database, inTransaction } from "../../shared/ledger/postgres/database.ts";
import {
  becomeReconciler,
  readLastReconciliation,
  type StoredReconciliation,
  storeReconciliation,
} from "../../shared/ledger/proof/reconciliations.ts";
import { EVERYTHING } from "../../shared/reconcile/cut.ts";
import { describeDifference } from "../../shared/reconcile/describe-difference.ts";
import { accountOf, type Found, idOf } from "../../shared/reconcile/difference.ts";
import { type Reconciliation, reconcile } from "../../shared/reconcile/reconcile.ts";
import type { ServiceContext } from "../../shared/runtime/run-service.ts";

interface ProofParts extends Pick<ServiceContext, "logger" | "stopping"> {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly waits: OutageRetry;
}

const MOST_LISTED = 100;

/**
 * Makes the nightly run: holds the usage that metering has read since the last verified cut against its
 * records, and stores what it found. Where something differs the next run looks at the same again, so
 * that a difference is said until it is repaired. One scheduler at a time does so.
 */
export function usageProof(parts: ProofParts): () => Promise<void> {
  const { database, logger, stopping, waits } = parts;
  return async () => {
    try {
      await waits.untilUp("Postgres, Kafka and the registry", async () => {
        const run = await inTransaction(database, async (transaction) => {
          if (!(await becomeReconciler(transaction))) return null;
          const last = await readLastReconciliation(transaction);
          const found = await proveSince(parts, last);
          const stored = toStored(found, last);
          await storeReconciliation(transaction, stored, found.differences.map(listed));
          return stored;
        });
        if (run !== null) say(parts, run);
      });
    } catch (error) {
      if (!stopping.aborted) logger.error({ err: error }, "usage could not be proved");
    }
  };
}

function proveSince(
  { database, kafka, registry, stopping }: ProofParts,
  last: StoredReconciliation | null,
): Promise<Reconciliation> {
  const from = last === null ? null : ({ kind: "places", places: last.places } as const);
  return reconcile({
    ...{ database, kafka, registry, signal: stopping },
    scope: { ...EVERYTHING, from },
    usageOnly: true,
    mostListed: MOST_LISTED,
    onCut: () => undefined,
    onRead: () => undefined,
  });
}

function toStored(found: Reconciliation, last: StoredReconciliation | null): StoredReconciliation {
  const { usage, cut, differences, more } = found;
  const count = BigInt(differences.length + more);
  const ends = [...cut.ranges].map(([partition, { to }]) => [partition, to] as const);
  return {
    at: cut.at,
    places: count === 0n ? new Map(ends) : (last?.places ?? new Map()),
    messages: BigInt(usage.messages),
    verified: BigInt(usage.metered + usage.repeats + usage.deadLetters),
    credits: usage.credits,
    differences: count,
  };
}

function listed(found: Found) {
  return { id: idOf(found), account_id: accountOf(found), says: describeDifference(found) };
}

function say(
  { logger }: ProofParts,
  { messages, verified, credits, differences }: StoredReconciliation,
) {
  const proof = { messages, verified, credits: formatCredits(credits), differences };
  const told = Object.fromEntries(
    Object.entries(proof).map(([name, value]) => [name, String(value)]),
  );
  if (differences === 0n) logger.info(told, "usage is proved");
  else logger.error(told, "usage and books differ: drawdown reconcile says where");
}
