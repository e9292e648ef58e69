interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly T[];
  readonly chosen: T;
  readonly choose: (option: T) => void;
}

/** A few options side by side, one of them chosen. */
export function Choice<T extends string>({ label, options, chosen, choose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {options.map((option) => (
        <button
          type="button"
          key={option}
          aria-pressed={option === chosen}
          onClick={() => choose(option)}
        >
          {option}
        </button>
      ))}
    </fieldset>
  );
}
