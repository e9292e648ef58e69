import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceContext } from "../../shared/runtime/run-service.ts";

const LOOK_EVERY_MS = 1_000;

type Waiting = Pick<ServiceContext, "stopping"> & {
  readonly logger: { warn(line: string): void };
};

/**
 * Returns once an API key exists: without one, nobody could be told from somebody else. Rejects if the service is
 * asked to stop meanwhile.
 */
export async function untilKeyExists(
  exists: () => Promise<boolean>,
  { logger, stopping }: Waiting,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<void> {
  if (await exists()) return;
  logger.warn(
    "other hosts can reach API_HOST, and there is no API key: waiting for drawdown key create",
  );
  while (!(await exists())) await sleep(lookEveryMs, undefined, { signal: stopping });
}
