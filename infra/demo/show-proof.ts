import { openCommands } from "./commands.ts";

/**
 * Ends with the proof: all that was played is read again from the topics and held against the books.
 * Throws where anything differs. Of books that are the demo's alone, as it looks at all of them.
 */
export async function showProof(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  say("\nThe proof: every event, entry, lot and balance, from the topics");
  await openCommands(env, say).type("reconcile");
}
