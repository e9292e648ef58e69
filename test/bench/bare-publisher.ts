/**
 * The floor of ingest: publishes a number of events (the argument) with the usage client, as fast as it
 * accepts them. Prints the number acknowledged by Kafka.
 */
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { INGEST_BATCH, ingestUsage } from "./ingest-load.ts";

const SAY_EVERY = 1_000;
const total = Number(process.argv[2]);
const client = openUsageClient(readSettings(process.env));

let acknowledged = 0;
for (let made = 0; made < total; made += INGEST_BATCH) {
  await client.ready();
  for (const usage of ingestUsage(made, Date.now())) void client.publish(usage).then(count);
}
await client.close();

function count(): void {
  acknowledged += 1;
  if (acknowledged % SAY_EVERY === 0) console.log(acknowledged);
}
