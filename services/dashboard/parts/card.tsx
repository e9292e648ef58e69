import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Loaded } from "../live/resource.ts";

interface CardProps {
  readonly title: string;
  readonly class?: string;
  /** Shown right of the title. */
  readonly side?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A section of the page with a heading. */
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
  /** The approximate number of lines, reserved while it loads. */
  readonly lines: number;
  readonly children: (value: T) => ComponentChildren;
}

/** Loaded content with an error above it if reloading failed, or a placeholder. */
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
