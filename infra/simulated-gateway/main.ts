import { once } from "node:events";
import { createLogger } from "../../shared/runtime/logger.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";
import { readGatewaySettings } from "./settings.ts";
import { startSimulatedGateway } from "./start-gateway.ts";

const stopRequested = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
try {
  await main();
  process.exit(0);
} catch (error) {
  if (!(error instanceof InvalidSettings)) throw error;
  console.error(error.message);
  process.exit(2);
}

async function main(): Promise<void> {
  const { gateway: options, logLevel } = readGatewaySettings(process.env);
  const logger = createLogger("simulated-gateway", logLevel);
  const gateway = await startSimulatedGateway({ ...options, logger });
  logger.info({ port: gateway.port }, "simulated gateway");
  await stopRequested;
  await gateway.close();
  logger.info("stopped");
}
