import { METERING_SERVICE } from "../../../infra/local/services.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

/** The metering service as a real process. */
export type MeteringProcess = ServiceProcess;

/** Starts metering without waiting until it meters: `says(/^metering$/)` waits. */
export function startMetering(env: NodeJS.ProcessEnv): MeteringProcess {
  return startService(METERING_SERVICE, env);
}
