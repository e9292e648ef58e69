/** Compares the usage topic with the books, as `drawdown reconcile` does. Prints its progress. */
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { EVERYTHING } from "../../shared/reconcile/cut.ts";
import { reconcile } from "../../shared/reconcile/reconcile.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const settings = readSettings(process.env);
const database = openDatabase(settings.database, {
  name: "reconcile",
  connections: 1,
  onError: (error) => console.error(error.message),
});
let read = 0;
const { usage, differences } = await reconcile({
  database,
  kafka: openKafka(settings.kafka, "reconcile", createLogger("reconcile", "warn")),
  registry: openRegistry(settings.registry),
  signal: new AbortController().signal,
  scope: EVERYTHING,
  usageOnly: true,
  onCut: () => undefined,
  onRead(offsets) {
    read += offsets;
    process.stdout.write(`${read}\n`);
  },
});
if (differences.length > 0 || usage.metered !== read) {
  throw new Error(`${usage.metered} of ${read} events were found right`);
}
await new Promise(() => setTimeout(() => undefined, 60_000));
