import { minute, second } from "../live/clock.ts";
import type { LiveLine } from "../live/live-state.ts";
import { useWidth } from "../parts/use-width.ts";
import { expiryText, type LotOnLine, lotName } from "../state/lot-on-line.ts";
import { exactCredits, shortCredits } from "../text/credit-text.ts";
import {
  type DrawnLine,
  type DrawnStretch,
  layOutLine,
  placeLabels,
  ratio,
} from "./lay-out-line.ts";

interface PictureProps {
  readonly lots: readonly LotOnLine[];
  readonly line: LiveLine;
  readonly zone: string;
  readonly choose: (lot: LotOnLine) => void;
  /** How many lots are listed at most; the picture has all. */
  readonly most: number;
}

const NARROWEST_LABEL = 164;

/**
 * The line as stretches with a label below each. Without room for labels (many lots, a phone), the lots
 * are listed below the line, each with its own bar.
 */
export function LinePicture({ lots, line, zone, choose, most }: PictureProps) {
  const [element, width] = useWidth<HTMLDivElement>();
  const drawn = layOutLine(lots, line, { width, now: second.value });
  const parts = drawn.debt === null ? drawn.stretches : [...drawn.stretches, drawn.debt];
  const largest = lots.reduce((most, lot) => (sizeOf(lot) > most ? sizeOf(lot) : most), 0n);
  const labels = placeLabels(parts, width, NARROWEST_LABEL);
  if (lots.length === 0 && drawn.debt === null) {
    return <p class="empty">No credits yet. The first ones will appear here.</p>;
  }
  return (
    <div ref={element} class="line">
      <Bars drawn={drawn} choose={choose} />
      <ol class={labels === null ? "lots listed" : "lots"} aria-label="Credits, oldest first">
        {drawn.stretches.slice(0, most).map((stretch, i) => (
          <li
            key={stretch.lot.lotId}
            style={
              labels === null ? {} : { left: labels[i] ?? 0, width: labelWidth(labels, i, width) }
            }
          >
            <LotLabel
              stretch={stretch}
              isHere={isHere(drawn, i)}
              largest={largest}
              zone={zone}
              choose={choose}
            />
          </li>
        ))}
        {drawn.debt !== null && (
          <li style={labels === null ? {} : { left: labels.at(-1) ?? 0, width: NARROWEST_LABEL }}>
            <div class="lot">
              <b class="bad">Owed, below zero</b>
              <span class="bad">{exactCredits(drawn.debt.credits)} credits</span>
              <span class="soft">the next credits repay it</span>
            </div>
          </li>
        )}
      </ol>
    </div>
  );
}

/** The picture alone; the labels below it have the same content. */
function Bars({ drawn, choose }: { drawn: DrawnLine<LotOnLine>; choose: PictureProps["choose"] }) {
  return (
    <div class="bars" aria-hidden="true">
      {drawn.stretches.map(({ lot, left, width, used }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the label below is the button
        // biome-ignore lint/a11y/useKeyWithClickEvents: the label below is the button
        <div
          key={lot.lotId}
          class="bar"
          style={{ left, width, background: `var(--${lot.source})` }}
          onClick={() => choose(lot)}
        >
          <div class="used" style={{ width: `${used * 100}%` }} />
        </div>
      ))}
      {drawn.debt !== null && (
        <div class="bar owed" style={{ left: drawn.debt.left, width: drawn.debt.width }} />
      )}
      <div class="marker" style={{ left: drawn.marker }}>
        <span class={markerSide(drawn)}>you are here</span>
      </div>
    </div>
  );
}

interface LotLabelProps {
  readonly stretch: DrawnStretch<LotOnLine>;
  readonly isHere: boolean;
  /** The credits of the largest lot, which scales the bars of a list. */
  readonly largest: bigint;
  readonly zone: string;
  readonly choose: (lot: LotOnLine) => void;
}

function LotLabel({ stretch, isHere, largest, zone, choose }: LotLabelProps) {
  const { lot, remaining, used } = stretch;
  const expiry = expiryText(lot, remaining, zone, minute.value);
  return (
    <button type="button" class="lot" onClick={() => choose(lot)}>
      <b>
        {lotName(lot, zone)}
        {isHere && <span class="here">you are here</span>}
      </b>
      <span class="soft">
        {shortCredits(remaining)} of {shortCredits(sizeOf(lot))} left
      </span>
      <span class={expiry.isSoon ? "warn" : "soft"}>{expiry.text}</span>
      <span
        class="own bar"
        style={{
          width: `${4 + 96 * ratio(sizeOf(lot), largest)}%`,
          background: `var(--${lot.source})`,
        }}
        aria-hidden="true"
      >
        <span class="used" style={{ width: `${used * 100}%` }} />
      </span>
    </button>
  );
}

function sizeOf({ start, end }: LotOnLine): bigint {
  return end - start;
}

function labelWidth(labels: readonly number[], i: number, width: number): number {
  return (labels[i + 1] ?? width) - (labels[i] ?? 0) - 8;
}

function isHere({ stretches, debt }: DrawnLine<LotOnLine>, i: number): boolean {
  return debt === null && i === stretches.findIndex(({ remaining }) => remaining > 0n);
}

/** Keeps the marker's label inside the picture. */
function markerSide({ marker, stretches, debt }: DrawnLine<LotOnLine>): string {
  const last = debt ?? stretches.at(-1);
  const end = last === undefined ? 0 : last.left + last.width;
  return marker < 45 ? "at-start" : marker > end - 45 ? "at-end" : "";
}
