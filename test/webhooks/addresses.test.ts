import { createSocket } from "node:dgram";
import { lookup, Resolver } from "node:dns/promises";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { urlProblem } from "../../shared/webhooks/check-url.ts";
import { findAddresses, type Resolve, resolveWith } from "../../shared/webhooks/find-addresses.ts";
import { refusedAddress } from "../../shared/webhooks/refused-address.ts";

const PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111"];

/** Of each range one or two, at their ends. */
const REFUSED = {
  "0.0.0.0": "unspecified",
  "10.0.0.1": "private",
  "100.64.0.1": "carrierGradeNat",
  "100.100.100.200": "carrierGradeNat",
  "127.0.0.1": "loopback",
  "127.255.255.254": "loopback",
  "168.63.129.16": "metadata",
  "169.254.169.254": "linkLocal",
  "172.16.0.1": "private",
  "172.31.255.255": "private",
  "192.168.0.1": "private",
  "198.18.0.1": "reserved",
  "224.0.0.1": "multicast",
  "240.0.0.1": "reserved",
  "255.255.255.255": "broadcast",
  "::": "unspecified",
  "::1": "loopback",
  "::ffff:127.0.0.1": "loopback",
  "::ffff:10.0.0.1": "private",
  "64:ff9b::7f00:1": "rfc6052",
  "2002:7f00:1::": "6to4",
  "fc00::1": "uniqueLocal",
  "fd00:ec2::254": "uniqueLocal",
  "fe80::1": "linkLocal",
  "ff02::1": "multicast",
  "4000::1": "reserved",
} as const;

describe("an address", () => {
  test.each(PUBLIC)("that is public is sent to: %s", (address) => {
    expect(refusedAddress(address)).toBeNull();
  });

  test.each(Object.entries(REFUSED))("that is not is refused: %s, %s", (address, range) => {
    expect(refusedAddress(address)).toBe(range);
  });

  test("that is none is refused", () => {
    expect(refusedAddress("example.com")).toBe("unknown");
  });
});

const at = (...addresses: readonly string[]): Resolve => {
  return async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

describe("a name", () => {
  const find = (resolve: Resolve, allowPrivate = false) =>
    findAddresses("example.com", { allowPrivate, resolve });

  test("leads to all of its addresses", async () => {
    expect(await find(at(...PUBLIC))).toHaveLength(3);
  });

  test("is refused where one of them is not public, unless that is allowed", async () => {
    const mixed = at("8.8.8.8", "10.0.0.1");
    await expect(find(mixed)).rejects.toThrow("example.com is at 10.0.0.1, which is not a public");
    expect(await find(mixed, true)).toHaveLength(2);
  });

  test("is refused where it has none, or cannot be resolved", async () => {
    await expect(find(at())).rejects.toThrow("has no address");
    const fails: Resolve = () => Promise.reject(new Error("queryA ETIMEOUT"));
    await expect(find(fails)).rejects.toThrow("cannot be resolved: queryA ETIMEOUT");
  });
});

describe("the URL of a new endpoint", () => {
  const problem = (url: string, resolve = at("8.8.8.8"), allowPrivate = false) =>
    urlProblem(url, { allowPrivate, resolve });

  test("may be any public one over https", async () => {
    expect(await problem("https://example.com/hooks?tenant=7")).toBeNull();
    expect(await problem("https://[2606:4700:4700::1111]:8443/")).toBeNull();
  });

  test.each([
    ["example.com/hooks", "is not a whole URL; it begins with https://"],
    ["http://example.com", "begins with http"],
    ["ftp://example.com", "does not begin with https://"],
    ["https://me:secret@example.com", "has a user name or password"],
    ["https://example.com/#top", "has a fragment"],
    ["https://example.com:0/", "has the port 0"],
    [`https://example.com/${"a".repeat(2_048)}`, "has more than 2048 characters"],
    ["https://example.com/a\0b", "has a character that no URL has"],
    ["https://example.com/a\nb", "has a character that no URL has"],
    ["https://example.com/a b", "has a character that no URL has"],
    ["https://example.com/\ud800", "has a character that no URL has"],
    ["https://127.0.0.1/", "(loopback)"],
    ["https://2130706433/", "(loopback)"],
    ["https://0x7f.1/", "(loopback)"],
    ["https://[::1]/", "(loopback)"],
    ["https://[::ffff:169.254.169.254]/", "(linkLocal)"],
  ])("is refused: %.40s", async (url, why) => {
    expect(await problem(url)).toContain(why);
  });

  test("is refused where its name leads to an address that is not public", async () => {
    expect(await problem("https://internal.example.com", at("192.168.1.7"))).toContain("(private)");
  });

  test("may be private and over http where a setting allows that", async () => {
    expect(await problem("http://127.0.0.1:3000/hooks", at(), true)).toBeNull();
  });
});

describe("name servers", () => {
  test("that are silent hold up no other name, and are given up", async () => {
    const silent = createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([`127.0.0.1:${silent.address().port}`]);
    const rules = { allowPrivate: true, resolve: resolveWith(resolver) };
    let ended = 0;
    const names = Array.from({ length: 32 }, (_, i) =>
      findAddresses(`${i}.example.com`, rules).finally(() => {
        ended += 1;
      }),
    );
    const outcomes = Promise.allSettled(names);
    await lookup("localhost");
    expect(ended).toBe(0);
    for (const { status } of await outcomes) expect(status).toBe("rejected");
    await expect(names[0]).rejects.toThrow(/^0\.example\.com cannot be resolved: .*TIMEOUT/);
    silent.close();
  });

  test("that answer nothing for a name leave it to this machine", async () => {
    const resolver = new Resolver();
    // Nobody is there.
    resolver.setServers(["127.0.0.1:1"]);
    const rules = { allowPrivate: true, resolve: resolveWith(resolver) };
    const found = await findAddresses("localhost", rules);
    expect(found.map(({ address }) => address)).toContain("127.0.0.1");
  });
});
