import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Public addresses that answer only to the machines of a cloud: Azure's. */
const OF_CLOUDS = new Set(["168.63.129.16"]);
/** All that is assigned as global unicast. */
const GLOBAL_V6 = ipaddr.parseCIDR("2000::/3");

/**
 * What kind of address that webhooks are not sent to: private, loopback, linkLocal, ... Null: it is public, as
 * far as its number tells. An IPv4 address within an IPv6 one is judged as what it is.
 */
export function refusedAddress(address: string): string | null {
  if (isIP(address) === 0) return "unknown";
  if (OF_CLOUDS.has(address)) return "metadata";
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range !== "unicast") return range;
  if (parsed.kind() === "ipv6" && !parsed.match(GLOBAL_V6)) return "reserved";
  return null;
}
