/** What a client is about to have executed. */
export interface Statement {
  readonly sql: string;
  /** Those of the same transaction before it; the first is BEGIN. */
  readonly earlier: readonly string[];
  /** Whether it, or one of those before it, was given parameters in which a text occurs. */
  isAbout(text: string): boolean;
}

/** A frame of Postgres' protocol, and the statement that it executes, if it does. */
export interface Frame {
  readonly bytes: Buffer;
  readonly statement: Statement | null;
}

/**
 * Reads what a client sends to Postgres frame by frame. Understands as much of the protocol as it
 * takes to tell the statements: simple queries, and prepared ones by what was parsed under a name.
 */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  const prepared = new Map<string, string>();
  let transaction: string[] = [];
  let given: Buffer[] = [];

  function note(sql: string, frame: Buffer): Statement {
    if (/^BEGIN/i.test(sql)) {
      transaction = [];
      given = [];
    }
    given = [...given, frame];
    const frames = given;
    const isAbout = (text: string) => frames.some((one) => one.includes(text));
    const statement = { sql, earlier: transaction, isAbout };
    transaction = [...transaction, sql];
    return statement;
  }

  function statementOf(frame: Buffer): Statement | null {
    const type = String.fromCharCode(frame[0] ?? 0);
    const [first = "", second = ""] = frame.toString("latin1", 5).split("\0");
    if (type === "P") prepared.set(first, second);
    if (type === "Q") return note(first.trim(), frame);
    return type === "B" ? note((prepared.get(second) ?? "").trim(), frame) : null;
  }

  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      // The first message has no type byte in front of its length.
      const typeBytes = started ? 1 : 0;
      if (rest.length < typeBytes + 4) return frames;
      const length = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < length) return frames;
      const bytes = rest.subarray(0, length);
      frames.push({ bytes, statement: started ? statementOf(bytes) : null });
      rest = rest.subarray(length);
      started = true;
    }
  };
}
