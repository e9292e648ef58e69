import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { refusedAddress } from "./refused-address.ts";

/** A host leads to an address that webhooks are not sent to, or to none. */
export class AddressRefused extends Error {}

/** Resolves a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const resolveByDns: Resolve = (host) => lookup(host, { all: true });

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
