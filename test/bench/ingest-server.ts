/** The ingest routes alone, on real Kafka and without a catalogue. Prints its origin once it listens. */
import fastify from "fastify";
import { ingestRoutes } from "../../services/api/ingest/routes.ts";
import { openUsageClient } from "../../shared/client/usage-client.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const { kafka, registry, metering } = readSettings(process.env);
const app = fastify();
await app.register(ingestRoutes, {
  client: openUsageClient({ kafka, registry }),
  readFeeds: async () => new Map(),
  now: Date.now,
  window: metering.window,
  onTrouble: (error) => console.error(error),
});
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
