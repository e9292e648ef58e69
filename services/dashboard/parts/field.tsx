import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly unit: string;
  readonly start: string;
  readonly hint: string;
  /** The error to show. */
  readonly wrong: string | null;
}

/** An input for an amount, with its unit and its error. */
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

/** The text of a form's field. */
export function fieldText(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}
