/** Pieces of work under way, and whether they move on. Time is the process's own, so no clock that is set shows. */
export interface WorkInHand {
  take(): Piece;
  /** How long the piece that has stood longest has not moved, in milliseconds; 0: none is in hand. */
  standsForMs(): number;
}

export interface Piece {
  moved(): void;
  done(): void;
}

export function workInHand(now: () => number = () => performance.now()): WorkInHand {
  const movedAt = new Map<Piece, number>();
  return {
    take() {
      const piece: Piece = {
        moved: () => void movedAt.set(piece, now()),
        done: () => void movedAt.delete(piece),
      };
      piece.moved();
      return piece;
    },
    standsForMs: () => (movedAt.size === 0 ? 0 : now() - Math.min(...movedAt.values())),
  };
}
