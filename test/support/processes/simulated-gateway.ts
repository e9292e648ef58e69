import { onTestFinished } from "vitest";
import { SIMULATED_GATEWAY } from "../../../infra/local/services.ts";
import {
  type GatewayOptions,
  startSimulatedGateway,
} from "../../../infra/simulated-gateway/start-gateway.ts";
import { tempFolder } from "../temp-folder.ts";
import { type GatewayClient, gatewayClient } from "./gateway-client.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

export interface GatewayInProcess extends GatewayClient {
  close(): Promise<void>;
}

/** A simulated gateway in this process, by default on a new store; closed with the test. */
export async function openGateway(
  options: Partial<GatewayOptions> = {},
): Promise<GatewayInProcess> {
  const dataDir = options.dataDir ?? (await tempFolder());
  const gateway = await startSimulatedGateway({ ...options, dataDir });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= gateway.close();
    return closing;
  };
  onTestFinished(close);
  return { ...gatewayClient(gateway.url), close };
}

export interface GatewayProcess extends GatewayClient {
  readonly process: ServiceProcess;
}

/** A simulated gateway as a real process, once it listens; ended with the test. */
export async function startGatewayProcess(
  dataDir: string,
  env: NodeJS.ProcessEnv = {},
): Promise<GatewayProcess> {
  const process = runGateway({ SIMULATED_GATEWAY_DATA: dataDir, ...env }, "test");
  onTestFinished(() => process.kill());
  const { port } = await process.says(/^simulated gateway$/);
  return { ...gatewayClient(`http://127.0.0.1:${Number(port)}`), process };
}

/** Runs the process, by default on any free port. */
export function runGateway(env: NodeJS.ProcessEnv, nodeEnv: string): ServiceProcess {
  return startService(SIMULATED_GATEWAY, { SIMULATED_GATEWAY_PORT: "0", ...env }, nodeEnv);
}
