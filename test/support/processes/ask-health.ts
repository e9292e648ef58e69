import type { ServiceProcess } from "./service-process.ts";

export interface HealthAnswer {
  readonly status: number;
  readonly body: {
    readonly service: string;
    readonly status: "up" | "down";
    readonly checks: Readonly<
      Record<string, { readonly status: string; readonly since?: string; readonly reason?: string }>
    >;
  };
}

/** Asks a service process for its health, at the address that its log gives. */
export async function askHealth(
  service: ServiceProcess,
  path: "/livez" | "/readyz",
): Promise<HealthAnswer> {
  const { address } = await service.says(/^serving health$/);
  const answer = await fetch(`${address}${path}`);
  return { status: answer.status, body: (await answer.json()) as HealthAnswer["body"] };
}

/** The names of what is down. */
export function downOf({ body }: HealthAnswer): string[] {
  return Object.entries(body.checks).flatMap(([name, { status }]) => (status === "up" ? [] : name));
}
