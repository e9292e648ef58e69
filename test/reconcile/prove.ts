import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { EVERYTHING, type Scope } from "../../shared/reconcile/cut.ts";
import type { Found } from "../../shared/reconcile/difference.ts";
import { readMissed } from "../../shared/reconcile/keep-message.ts";
import { type Reconciliation, reconcile } from "../../shared/reconcile/reconcile.ts";
import { planRepair, repair } from "../../shared/reconcile/repair.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import type { Books } from "../support/books/books.ts";
import { testKafka } from "../support/kafka/kafka.ts";

const kafka = testKafka();
const never = new AbortController().signal;

function registry() {
  return openRegistry(readSettings(process.env).registry);
}

/** Compares the topics with the books, as `drawdown reconcile` does. */
export function prove({ database }: Books, scope: Partial<Scope> = {}): Promise<Reconciliation> {
  return reconcile({
    ...{ database, kafka, registry: registry(), signal: never },
    scope: { ...EVERYTHING, ...scope },
    onCut: () => undefined,
    onRead: () => undefined,
  });
}

/** Repairs everything found, as `drawdown reconcile --repair --yes` does; returns each repair. */
export async function repairAll(
  { database }: Books,
  found: readonly Found[],
): Promise<(string | null)[]> {
  const decoder = openUsageDecoder(registry());
  const places = found.flatMap((one) => {
    if (one.kind === "not_kept") return [one.place];
    return one.kind === "missing_record" ? [one.event] : [];
  });
  const messages = await readMissed({ kafka, decoder, signal: never }, places);
  const repaired: (string | null)[] = [];
  for (const one of found) {
    const plan = planRepair(one);
    const repairing = { database, messages, by: "test", now: Date.now() };
    const isDone = plan !== null && (await repair(repairing, one, plan));
    repaired.push(isDone ? plan.what : null);
  }
  return repaired;
}
