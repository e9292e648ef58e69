import { AddressRefused, type AddressRules, findAddresses } from "./find-addresses.ts";

export const MOST_URL_LENGTH = 2_048;

/** A space or a control character: parsing would drop some of them, and keep the text as it is. */
const NO_URL = /[\0-\x20\x7f]/;

/** What is wrong with the URL of a new endpoint, as the end of a sentence; null: it can be delivered to. */
export async function urlProblem(text: string, rules: AddressRules): Promise<string | null> {
  if (text.length > MOST_URL_LENGTH) return `has more than ${MOST_URL_LENGTH} characters`;
  if (NO_URL.test(text) || !text.isWellFormed()) return "has a character that no URL has";
  const url = URL.parse(text);
  if (url === null) return "is not a whole URL; it begins with https://";
  if (url.protocol === "http:" && !rules.allowPrivate) {
    return "begins with http: webhooks are sent over https, unless WEBHOOK_ALLOW_PRIVATE is true";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "does not begin with https://";
  if (url.username !== "" || url.password !== "") return "has a user name or password in it";
  if (url.port === "0") return "has the port 0, at which nothing can be reached";
  if (url.hash !== "") return "has a fragment, which is never sent";
  try {
    await findAddresses(url.hostname, rules);
    return null;
  } catch (error) {
    if (error instanceof AddressRefused)
      return `leads nowhere that webhooks are sent to: ${error.message}`;
    throw error;
  }
}
