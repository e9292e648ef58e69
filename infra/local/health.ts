import { reservePort } from "./reserve-port.ts";
import type { Service } from "./supervise-services.ts";

const PREFERRED_PORT = 8100;

/** Services, each with an address for its health, and the setting by which commands find them. */
interface LocalHealth {
  readonly services: readonly Service[];
  readonly env: { readonly HEALTH_ADDRESSES: string };
}

/** Ports stay reserved while this process runs. */
export async function localHealth(services: readonly Service[]): Promise<LocalHealth> {
  const addressed: Service[] = [];
  let port = PREFERRED_PORT;
  for (const service of services) {
    port = (await reservePort(port)).port;
    addressed.push({ ...service, healthPort: port });
    port += 1;
  }
  const addresses = addressed.map(
    ({ name, healthPort }) => `${name}=http://127.0.0.1:${healthPort}`,
  );
  return { services: addressed, env: { HEALTH_ADDRESSES: addresses.join(",") } };
}
