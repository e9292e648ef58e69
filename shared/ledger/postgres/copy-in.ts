import pg, { type Connection } from "pg";
import type { Transaction } from "./database.ts";

/** What the types of pg leave out of a connection. */
interface CopyingConnection extends Connection {
  sendCopyFromChunk(bytes: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/**
 * Runs a COPY FROM STDIN with these bytes and returns the number of rows. They follow the statement without
 * waiting for Postgres to ask for them; it drops them if the statement fails. Each piece is built after the
 * one before it is sent, so that Postgres stores meanwhile.
 */
export function copyIn(
  transaction: Transaction,
  text: string,
  pieces: Iterable<Buffer>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const copy = new CopyIn(text, pieces);
    copy.on("end", ({ rowCount }) => resolve(rowCount ?? 0));
    copy.on("error", (error) => reject(copy.failed ?? error));
    transaction.query(copy);
  });
}

/** Of pg's own class, because pg lets no other share a connection with statements under way. */
class CopyIn extends pg.Query {
  /** Why the bytes could not be built. */
  failed: unknown = null;

  constructor(text: string, pieces: Iterable<Buffer>) {
    super(text);
    this.submit = (connection) => {
      const copying = connection as CopyingConnection;
      copying.stream.cork();
      copying.query(text);
      try {
        for (const piece of pieces) {
          copying.sendCopyFromChunk(piece);
          copying.stream.uncork();
        }
        copying.endCopyFrom();
      } catch (error) {
        this.failed = error;
        copying.sendCopyFail("the rows could not be built");
      } finally {
        copying.stream.uncork();
      }
      return null;
    };
  }

  /** What Postgres asks for is under way. */
  handleCopyInResponse(): void {}
}
