import { commandLineOf } from "../../infra/local/process-table.ts";

/** Those of the processes that still run; one that only waits to be reaped does not. */
export async function living(pids: readonly number[]): Promise<number[]> {
  const lines = await Promise.all(pids.map(commandLineOf));
  return pids.filter((_, index) => lines[index] !== undefined);
}
