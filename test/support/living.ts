import { commandLineOf } from "../../infra/local/process-table.ts";

/** The processes that still run, without zombies. */
export async function living(pids: readonly number[]): Promise<number[]> {
  const lines = await Promise.all(pids.map(commandLineOf));
  return pids.filter((_, index) => lines[index] !== undefined);
}
