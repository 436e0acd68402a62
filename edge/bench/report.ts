import type { Figure } from "./figure.ts";

/** The name of a figure: one in "before" and one in "after" of the same name belong together. */
export function nameOfFigure({ measure, part, wiring }: Pick<Figure, "measure" | "part" | "wiring">): string {
  return [measure, part, wiring].filter((word) => word !== undefined).join(", ");
}

/** Figures as a table for the terminal, with those of before beside them. */
export function tableOf(figures: readonly Figure[], before: readonly Figure[] = []): string {
  const rows = [["measure", "value", "yardstick", "before", "now", "goal", "holds"]];
  for (const figure of figures) {
    const earlier = before.find((one) => nameOfFigure(one) === nameOfFigure(figure));
    rows.push([
      nameOfFigure(figure),
      shown(figure.value),
      shown(figure.yardstick),
      earlier === undefined ? "" : judgedOf(earlier),
      judgedOf(figure),
      shown(figure.goal),
      holdsOf(figure),
    ]);
  }
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What is compared with the goal: the ratio, or the value where there is no yardstick. */
export function judgedOf({ ratio, value }: Figure): string {
  return shown(ratio ?? value);
}

/** Whether a goal holds, in a word. */
export function holdsOf({ holds, reason }: Figure): string {
  if (reason !== undefined) return `not taken: ${reason.split("\n")[0]?.slice(0, 200)}`;
  return holds === null ? "" : holds ? "yes" : "no";
}

function shown(value: number | null): string {
  return value === null ? "" : String(value);
}
