/** Parameters of the URL by which the driver replaces all that DATABASE_TLS says. */
const TLS_PARAMETERS = [
  ...["ssl", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslnegotiation"],
  "uselibpqcompat",
];
/** Parameters by which it replaces what every connection is opened with. */
const SESSION_PARAMETERS = ["options", "client_encoding", "binary", "replication"];

/**
 * Why a database's URL cannot be used; null: it can. The driver lets the URL's parameters win over the
 * settings, silently: so where DATABASE_TLS demands TLS, the URL may say nothing about it. `tls` is
 * DATABASE_TLS, of which `off` leaves it to the URL.
 */
export function databaseUrlProblem(url: string, tls: "off" | "require" | "verify"): string | null {
  const { hosts, names } = partsOf(url);
  if (hosts.some((host) => host.includes(","))) {
    return "names several hosts; give one, which may be a proxy or a name that follows the primary";
  }
  if (!isUrl(url) || hasLateSign(url)) {
    return "is no URL: give a port of at most 65535, and write signs such as @ or / of a name or password as %40 or %2F";
  }
  const session = names.find((name) => SESSION_PARAMETERS.includes(name));
  if (session !== undefined) {
    return `has the parameter ${session}, which replaces what Drawdown sets for its connections; remove it`;
  }
  const aboutTls = names.find((name) => TLS_PARAMETERS.includes(name));
  if (tls === "off" || aboutTls === undefined) return null;
  return `has the parameter ${aboutTls}, which overrides DATABASE_TLS=${tls}; remove it, or unset DATABASE_TLS`;
}

/**
 * Whether an @ follows the host, as where a password has a /, ? or # as it is: a part of the password would be taken
 * for the host, and named in errors.
 */
export function hasLateSign(url: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*[/?#].*@/i.test(url);
}

/** As the driver reads it, for which the host may be left to a parameter. */
function isUrl(url: string): boolean {
  return URL.canParse(url) || URL.canParse(url.replace("@/", "@host/"));
}

/** The driver takes the host from the authority and from a parameter; a list of hosts is no valid URL. */
function partsOf(url: string) {
  const [, authority = "", , query = ""] =
    /^[a-z]+:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return { hosts: [host, ...parameters.getAll("host")], names: [...parameters.keys()] };
}
