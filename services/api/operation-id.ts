/**
 * The name that generated clients give an operation: `listAccountLots`, `createAccountGrant`. It follows
 * from the route, so it stays the same as long as the route does.
 */
export function operationId(method: string, url: string, isList: boolean): string {
  const parts = url.split("/").filter((part) => part !== "" && part !== "v1");
  const nouns = parts.flatMap((part, at) => {
    if (part.startsWith(":")) return [];
    const isOne = parts[at + 1]?.startsWith(":") === true;
    const isMade = method === "POST" && at === parts.length - 1;
    return [isOne || isMade ? singular(part) : part];
  });
  const words = nouns.join("-").split("-");
  return `${verbOf(method, isList)}${words.map(capitalized).join("")}`;
}

function verbOf(method: string, isList: boolean): string {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "set";
    case "PATCH":
      return "update";
    case "DELETE":
      return "delete";
    default:
      return isList ? "list" : "get";
  }
}

function singular(noun: string): string {
  return noun.replace(/ies$/, "y").replace(/s$/, "");
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
