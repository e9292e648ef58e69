import { z } from "zod";

const answer = z.object({
  checks: z.record(
    z.string(),
    z.union([
      z.object({ status: z.literal("up") }),
      z.object({ status: z.literal("down"), since: z.iso.datetime(), reason: z.string() }),
    ]),
  ),
});

/** What a service says is down: since when in milliseconds since 1970, and why. */
export interface DownCheck {
  readonly check: string;
  readonly since: number;
  readonly reason: string;
}

/** What is down, as a service answers at its health address (`http://host:port`). Throws without an answer. */
export async function askHealth(
  address: string,
  path: "/livez" | "/readyz",
  withinMs = 5_000,
): Promise<readonly DownCheck[]> {
  const answered = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(withinMs) });
  const { checks } = answer.parse(await answered.json());
  return Object.entries(checks).flatMap(([check, found]) =>
    found.status === "up" ? [] : { check, since: Date.parse(found.since), reason: found.reason },
  );
}
