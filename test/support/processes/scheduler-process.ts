import { SCHEDULER_SERVICE } from "../../../infra/local/services.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

/** Starts the scheduler without waiting for its first run: `says(/^run$/)` waits. */
export function startScheduler(env: NodeJS.ProcessEnv): ServiceProcess {
  return startService(SCHEDULER_SERVICE, env);
}
