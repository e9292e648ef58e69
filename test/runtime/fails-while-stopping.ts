/** A service whose end fails. */
import { runService } from "../../shared/runtime/run-service.ts";
import { untilAborted } from "../../shared/runtime/until-aborted.ts";

await runService("test", async ({ logger, stopping }) => {
  const alive = setInterval(() => undefined, 1_000);
  logger.info("at work");
  await untilAborted(stopping);
  clearInterval(alive);
  throw new Error("the last offsets are not written");
});
