import { type Cell, csvText } from "../../../shared/core/text/csv-text.ts";

interface ExportCsvProps {
  readonly file: string;
  readonly columns: readonly string[];
  /** Called on export. */
  readonly rows: () => readonly (readonly Cell[])[];
  readonly what: string;
}

/** A button that saves the shown rows as a CSV file. */
export function ExportCsv({ file, columns, rows, what }: ExportCsvProps) {
  const save = (): void => {
    const blob = new Blob([csvText(columns, rows())], { type: "text/csv;charset=utf-8" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${file.replaceAll(/[^\w.-]+/g, "-")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return (
    <button type="button" class="link" onClick={save} aria-label={`Export ${what} as CSV`}>
      Export CSV
    </button>
  );
}
