import type { LookupAddress } from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { refusedAddress } from "./refused-address.ts";

/** A host leads to an address that webhooks are not sent to, or to none. */
export class AddressRefused extends Error {}

/** Resolves a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** With the tries together less than a connection may take. */
const ASKED_FOR = { timeout: 1_000, tries: 2 };

const resolveByDns = resolveWith(new Resolver(ASKED_FOR));

/**
 * Asks name servers without the process's few threads: a name whose servers are silent would hold one, which
 * all other names and files wait for. Names that they do not know may be those of this machine or network.
 */
export function resolveWith(resolver: Resolver): Resolve {
  return async (host) => {
    const families = [4, 6] as const;
    const asked = await Promise.allSettled(families.map((family) => ask(resolver, host, family)));
    const found = asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (found.length > 0) return found;
    const failed = asked.filter((answer) => answer.status === "rejected");
    const silent = failed.find(({ reason }) => reason.code === "ETIMEOUT");
    if (silent !== undefined) throw silent.reason;
    return lookup(host, { all: true });
  };
}

async function ask(resolver: Resolver, host: string, family: 4 | 6): Promise<LookupAddress[]> {
  const addresses = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host));
  return addresses.map((address) => ({ address, family }));
}

/**
 * The addresses of a host: all of them may be sent to. `host` is as in a URL, an IPv6 address in brackets.
 * Throws AddressRefused where one is not public, unless `allowPrivate`, or where there is none.
 */
export async function findAddresses(
  host: string,
  { allowPrivate, resolve = resolveByDns }: AddressRules,
): Promise<readonly LookupAddress[]> {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const found = await addressesOf(name, resolve);
  if (allowPrivate) return found;
  for (const { address } of found) {
    const refused = refusedAddress(address);
    if (refused !== null) {
      const what = address === name ? name : `${name} is at ${address}, which`;
      throw new AddressRefused(`${what} is not a public address (${refused})`);
    }
  }
  return found;
}

export interface AddressRules {
  /** Also addresses that are not public, and http. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
}

async function addressesOf(name: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  const family = isIP(name);
  if (family !== 0) return [{ address: name, family }];
  try {
    const found = await resolve(name);
    if (found.length > 0) return found;
  } catch (error) {
    throw new AddressRefused(`${name} cannot be resolved: ${(error as Error).message}`);
  }
  throw new AddressRefused(`${name} has no address`);
}
