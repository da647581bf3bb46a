/** The page's style: one family of type, one column, colours that read in light and dark and on paper. */
export const style = `
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #ffffff; --text: #1d2226; --muted: #5d666e; --grid: #1d2226; --line: #dfe2e4;
  --first: #1f6fb2; --second: #c2570c; --third: #1b8a6b; --faint: #c3d3e0; --good: #1b8a6b; --bad: #c0362c; --banner: #fdeee0; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181b; --card: #1b2024; --text: #e6e9eb; --muted: #9aa5ad; --grid: #e6e9eb; --line: #343c42;
  --first: #62aee8; --second: #f09a4e; --third: #4cc3a0; --faint: #3c4f5e; --good: #4cc3a0; --bad: #f0766b; --banner: #3a2a1b; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 50rem; background: var(--paper); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.01em; }
h1 + p { margin: .3rem 0 1.5rem; color: var(--muted); }
h2 { margin: 3.2rem 0 1rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.35rem; line-height: 1.25; }
h3 { margin: 0; font-size: 1.05rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 1.4rem 0 0; padding: 0; list-style: none; font-size: .92rem; }
a { color: var(--first); }
figure, .person { margin: 0 0 1.5rem; padding: 1.1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
figcaption p, .person p { margin: .25rem 0 .7rem; color: var(--muted); font-size: .95rem; }
.person p b { color: var(--text); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); gap: .8rem; margin: 0; }
.tiles div { padding: .8rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
dt { color: var(--muted); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
dd.soft { font-size: .83rem; font-weight: 400; line-height: 1.35; }
.soft { color: var(--muted); font-size: .87em; }
.banner { margin: 0 0 1.2rem; padding: .8rem 1rem; background: var(--banner); border: 1px solid var(--second); border-radius: 10px; }
.banner p { margin: 0; } .banner pre { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .87rem; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; margin: 0 0 .3rem; padding: 0; list-style: none; font-size: .87rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .45em; border-radius: 2px; }
svg.chart { display: block; width: 100%; height: auto; max-width: 100%; overflow: visible; --plot-background: var(--card); }
svg.chart text { white-space: pre; font-variant-numeric: tabular-nums; }
svg.chart.narrow { display: none; }
details { margin-top: .5rem; font-size: .9rem; } summary { cursor: pointer; color: var(--first); }
.scroll { overflow-x: auto; margin-top: .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { padding-bottom: .35rem; text-align: left; font-weight: 600; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; }
th:first-child { padding-left: 0; } td:last-child, th:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: .92em; vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
td, th[scope=row] { overflow-wrap: anywhere; } td.number { overflow-wrap: normal; }
code { white-space: nowrap; font: .92em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.person th[scope=row] { min-width: 11.5rem; }
.person table { margin-bottom: .8rem; }
.hit, .better { color: var(--good); } .worse { color: var(--bad); } .hit { white-space: nowrap; font-weight: 600; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
footer { margin-top: 3rem; color: var(--muted); font-size: .87rem; }
@media (max-width: 540px) { body { padding: 1.4rem .8rem 3rem; } figure, .person { padding: .9rem .8rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .6rem; } dd { font-size: 1.2rem; } .tiles div { padding: .65rem .75rem; }
  svg.chart.wide { display: none; } svg.chart.narrow { display: block; } th, td { padding: .32rem .4rem; } .person th[scope=row] { min-width: 8rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --card: #fff; --text: #000; --muted: #444; --grid: #000; --line: #bbb;
  --first: #1f6fb2; --second: #c2570c; --third: #1b8a6b; --faint: #c3d3e0; --good: #146b53; --bad: #a62a21; --banner: #fff; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } nav, details { display: none; } figure, .person { padding: .4rem 0; border: 0; }
  figure, .tiles div, tr { break-inside: avoid; } h2, h3, figcaption { break-after: avoid; } h2 { margin-top: 1.6rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  svg.chart.wide { display: block; max-width: 17cm; } svg.chart.narrow { display: none; } @page { margin: 1.6cm; } }
`
