/** What comes next in a JSON text. Its functions throw a RangeError with what is wrong at `line()`. */
export interface JsonScanner {
  line(): number;
  /** The next sign that is no white space; "" at the end. It stays next. */
  peek(): string;
  /** Passes the sign that `peek` showed. */
  pass(): void;
  /** The text in quotes that is next. */
  text(): string;
  /** What matches next, of a sticky pattern; null: nothing does. */
  match(pattern: RegExp): string | null;
}

export function scanJson(json: string): JsonScanner {
  let at = 0;
  let line = 1;

  function peek(): string {
    for (; ; at += 1) {
      const sign = json[at] ?? "";
      if (sign === "\n") line += 1;
      else if (sign !== " " && sign !== "\r" && sign !== "\t") return sign;
    }
  }

  function text(): string {
    let end = json.indexOf('"', at + 1);
    while (end >= 0 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
    if (end < 0) throw notJson("a text has no closing quote");
    const written = json.slice(at, end + 1);
    at = end + 1;
    try {
      return String(JSON.parse(written));
    } catch {
      throw notJson("a text holds a line break, or an escape that JSON does not have");
    }
  }

  function match(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(json)?.[0];
    at += found?.length ?? 0;
    return found ?? null;
  }

  return {
    line: () => line,
    peek,
    pass() {
      at += 1;
    },
    text,
    match,
  };
}

export function notJson(problem: string): RangeError {
  return new RangeError(`is not JSON: ${problem}`);
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}
