import { hasApiKeys } from "../../shared/ledger/api-keys.ts";
import { openDatabase } from "../../shared/ledger/database.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { buildServer } from "./server.ts";
import { readApiSettings, refuseOpenToOthers } from "./settings.ts";

const NAME = "drawdown-api";
const CONNECTIONS = 16;

await runService("api", async ({ settings, logger, stopping }) => {
  const api = readApiSettings(process.env);
  const database = openDatabase(settings.database, {
    name: NAME,
    connections: CONNECTIONS,
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  refuseOpenToOthers(api.host, await hasApiKeys(database));
  const app = await buildServer({ database, logger, now: Date.now }, api);
  const url = await app.listen({ host: api.host, port: api.port });
  logger.info({ url }, "serving");
  await new Promise((resolve) => stopping.addEventListener("abort", resolve, { once: true }));
  await app.close();
  await database.end();
});
