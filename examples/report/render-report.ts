import { embedJson, type Html, html, trusted } from './markup.ts'
import { RECORD_ELEMENT } from './report-files.ts'
import type { RunRecord } from './run-record.ts'
import { costSection } from './sections/cost.ts'
import { dataSection } from './sections/data.ts'
import { movedSection } from './sections/moved.ts'
import { peopleSection } from './sections/people.ts'
import { popularitySection } from './sections/popularity.ts'
import { qualitySection } from './sections/quality.ts'
import { servingSection } from './sections/serving.ts'
import { day, settingsSection, summary } from './sections/summary.ts'
import { trainingSection } from './sections/training.ts'
import { style } from './style.ts'

/** The page may load nothing and run nothing: a text that came through as markup could do no harm. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/**
 * The report of a run as one HTML page that needs nothing else: charts are drawn here, there is no script, and the record
 * is in it as JSON. With a second run it says what moved since.
 */
export function renderReport(record: RunRecord, against?: RunRecord): string {
  const parts: [id: string, name: string, part: Html | undefined][] = [
    ['moved', 'What moved', movedSection(record, against)],
    ['quality', 'Quality', qualitySection(record)],
    ['popularity', 'Popularity', popularitySection(record)],
    ['serving', 'Serving', servingSection(record)],
    ['data', 'Data', dataSection(record)],
    ['training', 'Training', trainingSection(record, against)],
    ['cost', 'Cost', costSection(record)],
    ['people', 'Users', peopleSection(record)],
    ['settings', 'Settings', settingsSection(record)],
  ]
  const present = parts.filter(([, , part]) => part !== undefined)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Training report, ${day(record)}</title>
<style>${trusted(style)}</style>
</head>
<body>
${summary(record)}
<nav aria-label="Parts of the report"><ul>${present.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${present.map(([, , part]) => part)}
</main>
<footer><p>Made by Seesaw. docs/report.md says what each chart tells and what to do when it looks bad.</p></footer>
<script type="application/json" id="${RECORD_ELEMENT}">${embedJson(record)}</script>
</body>
</html>
`
  return String(page)
}
