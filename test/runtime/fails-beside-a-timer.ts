/** A service that fails while something else would keep its process alive. */
import { runService } from "../../shared/runtime/run-service.ts";

await runService("test", async () => {
  setInterval(() => undefined, 1_000);
  throw new Error("the consumer has crashed");
});
