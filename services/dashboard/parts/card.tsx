import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Loaded } from "../live/resource.ts";

interface CardProps {
  readonly title: string;
  readonly class?: string;
  /** What stands right of the title. */
  readonly side?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of the page under its own heading. */
export function Card({ title, class: kind = "", side, children }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${kind}`} aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        {side}
      </div>
      {children}
    </section>
  );
}

interface ContentProps<T> {
  readonly of: Loaded<T>;
  readonly again: () => void;
  /** About how many lines it takes, so that nothing jumps when it is there. */
  readonly lines: number;
  readonly children: (value: T) => ComponentChildren;
}

/** What was read, with a word above it when it could not be read again; or its place until it is. */
export function Content<T>({ of: { value, problem }, again, lines, children }: ContentProps<T>) {
  const failed = problem !== null && (
    <p class="problem" role="alert">
      {value === null ? problem.message : `Not up to date. ${problem.message}`}{" "}
      <button type="button" class="link" onClick={again}>
        Try again
      </button>
    </p>
  );
  if (value !== null) {
    return (
      <>
        {failed}
        {children(value)}
      </>
    );
  }
  if (problem !== null) return failed;
  return (
    <div class="loading" role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: lines }, (_, i) => (
        <div class="bone" key={i} />
      ))}
    </div>
  );
}
