/**
 * The floor of ingest: publishes usage with the client for so many seconds (the argument), as fast as
 * it takes it. Prints how many events a second Kafka acknowledged after the first fifth of them.
 */
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { INGEST_BATCH, ingestUsage } from "./ingest-load.ts";

const WARM_UP = 0.2;
const seconds = Number(process.argv[2]);
const client = openUsageClient(readSettings(process.env));
const startedAt = performance.now();
const countedFrom = startedAt + seconds * WARM_UP * 1000;
const endsAt = startedAt + seconds * 1000;

let acknowledged = 0;
for (let made = 0; performance.now() < endsAt; made += INGEST_BATCH) {
  await client.ready();
  for (const usage of ingestUsage(made, Date.now())) void client.publish(usage).then(count);
}
const rate = (acknowledged * 1000) / (performance.now() - countedFrom);
await client.close();
console.log(rate);

function count(): void {
  if (performance.now() >= countedFrom) acknowledged += 1;
}
