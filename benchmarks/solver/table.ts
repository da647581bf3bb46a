export type Column<T> = [title: string, cell: (row: T) => string]

/** Prints rows as a Markdown table, as they stand in benchmarks/README.md. */
export function printTable<T>(columns: Column<T>[], rows: T[]): void {
  const line = (cells: string[]) => console.log(`| ${cells.join(' | ')} |`)
  line(columns.map(([title]) => title))
  line(columns.map(() => '---'))
  for (const row of rows) line(columns.map(([, cell]) => cell(row)))
  console.log()
}
