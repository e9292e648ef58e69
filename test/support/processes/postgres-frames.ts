/** A statement that a client has sent. */
export interface Statement {
  readonly sql: string;
  /** The statements of the same transaction before it; the first is BEGIN. */
  readonly earlier: readonly string[];
  /** Whether it, or one before it, has parameters that contain a text. */
  isAbout(text: string): boolean;
}

/** A frame of Postgres's protocol, and the statement that it executes, if any. */
export interface Frame {
  readonly bytes: Buffer;
  readonly statement: Statement | null;
}

/**
 * Reads a client's messages to Postgres frame by frame. Understands as much of the protocol as is needed
 * to identify the statements: simple queries, and prepared ones by their names.
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
