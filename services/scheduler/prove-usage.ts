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

interface ProofContext extends Pick<ServiceContext, "logger" | "stopping"> {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly waits: OutageRetry;
}

const MOST_LISTED = 100;

/**
 * Makes the nightly run: reconciles the usage read since the last verified cut with the books, and
 * stores the result. After a difference the next run covers the same range again, so the difference is
 * reported until it is repaired. One scheduler at a time runs it.
 */
export function usageProof(context: ProofContext): () => Promise<void> {
  const { database, logger, stopping, waits } = context;
  return async () => {
    try {
      await waits.untilUp("Postgres, Kafka and the registry", async () => {
        const run = await inTransaction(database, async (transaction) => {
          if (!(await becomeReconciler(transaction))) return null;
          const last = await readLastReconciliation(transaction);
          const found = await proveSince(context, last);
          const stored = toStored(found, last);
          await storeReconciliation(transaction, stored, found.differences.map(listed));
          return stored;
        });
        if (run !== null) report(context, run);
      });
    } catch (error) {
      if (!stopping.aborted) logger.error({ err: error }, "usage could not be reconciled");
    }
  };
}

function proveSince(
  { database, kafka, registry, stopping }: ProofContext,
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

function report(
  { logger }: ProofContext,
  { messages, verified, credits, differences }: StoredReconciliation,
) {
  const fields = {
    messages: `${messages}`,
    verified: `${verified}`,
    credits: formatCredits(credits),
    differences: `${differences}`,
  };
  if (differences === 0n) logger.info(fields, "usage is reconciled");
  else logger.error(fields, "usage and books differ: run drawdown reconcile for details");
}
