import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly unit: string;
  readonly start: string;
  readonly hint: string;
  /** What is wrong with it. */
  readonly wrong: string | null;
}

/** An amount to type, with its unit, and what is wrong with it told beside it. */
export function AmountField({ label, name, unit, start, hint, wrong }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="amount">
        <input
          id={id}
          name={name}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          required
          defaultValue={start}
          aria-describedby={`${id}-hint`}
          aria-invalid={wrong !== null}
        />
        <span>{unit}</span>
      </div>
      <p id={`${id}-hint`} class={wrong === null ? "note" : "note bad"} aria-live="polite">
        {wrong ?? hint}
      </p>
    </div>
  );
}

/** What a form holds under a name, as text. */
export function fieldText(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}
