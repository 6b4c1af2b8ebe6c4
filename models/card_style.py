"""The style of a model card's page: for a screen by day and by night, a telephone, and paper."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2733; --soft: #55616f; --line: #e2e0d9; --head: #f3f1eb;
  --brand: #1f3a5f; --mark: #1f5fa8; --other: #a3480c; --third: #4f6b46; --grid: #e9e7e0;
  --good: #1c6b3c; --good-paper: #e9f5ee; --warn: #7a5200; --warn-paper: #fdf3dc; --bad: #a31616; --bad-paper: #fdeaea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1a2028; --ink: #e4e8ed; --soft: #9aa7b5; --line: #2d3641; --head: #212934;
    --brand: #b9d3f2; --mark: #6ea8e6; --other: #f0a569; --third: #9cc28d; --grid: #29313c;
    --good: #7fd6a1; --good-paper: #14281d; --warn: #f0c466; --warn-paper: #2c2410;
    --bad: #ff9c9c; --bad-paper: #331717;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3 { color: var(--brand); line-height: 1.25; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 .75rem; }
h2 { font-size: 1.45rem; margin: 2.75rem 0 .6rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.12rem; margin: 2rem 0 .4rem; }
p, li { max-width: 46rem; }
p, ul { margin: .6rem 0; }
ul { padding-left: 1.3rem; }
li { margin: .3rem 0; }
li, td, code, strong { unicode-bidi: isolate; }
p, li, dt, dd, summary, code { overflow-wrap: anywhere; }
td, td code { overflow-wrap: break-word; }
a { color: var(--mark); }
small { color: var(--soft); font-size: .85em; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
pre {
  overflow-x: auto; background: var(--head); border: 1px solid var(--line); border-radius: .5rem;
  padding: .8rem 1rem; line-height: 1.5;
}
#title > p { font-size: 1.08rem; }
.notice {
  max-width: none; padding: .7rem 1rem; border: 1px solid; border-left-width: .4rem; border-radius: .5rem;
  font-weight: 600;
}
.good { color: var(--good); background: var(--good-paper); }
.warn { color: var(--warn); background: var(--warn-paper); }
.bad { color: var(--bad); background: var(--bad-paper); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: .75rem; }
dl { margin: 1.25rem 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
dt { color: var(--soft); font-size: .9rem; line-height: 1.35; }
dd { margin: .2rem 0 0; line-height: 1.3; }
dd b { font-size: 1.55rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dd small { font-size: .84rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.1rem; max-width: none; }
nav li { margin: .1rem 0; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--mark); font-weight: 600; padding: .2rem 0; width: fit-content; }
.scroll {
  overflow-x: auto; width: fit-content; max-width: 100%; margin: 1rem 0; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem;
}
table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; }
th, td { padding: .45rem .7rem; text-align: left; vertical-align: top; }
th { background: var(--head); color: var(--soft); font-weight: 600; vertical-align: bottom; min-width: 4.5rem; }
td { border-top: 1px solid var(--line); min-width: 4.5rem; max-width: 22rem; }
td:first-child { position: sticky; left: 0; background: var(--card); max-width: min(22rem, 45vw); }
td:first-child:not(.number) { min-width: min(9rem, 25vw); }
td strong { font-weight: 600; }
td small { display: block; white-space: nowrap; }
td.number { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: block; width: 100%; min-width: 4rem; height: .3rem; margin-top: .3rem; transform: scaleX(-1); }
.bar rect { fill: var(--mark); }
figure { margin: 1.25rem 0; max-width: 40rem; }
figcaption { color: var(--soft); font-size: .88rem; }
.plot { display: block; width: 100%; height: auto; }
.plot:not(.wide) { max-width: 30rem; }
.plot text { fill: var(--soft); font-size: 13px; unicode-bidi: isolate; }
.plot path { fill: none; stroke: var(--grid); }
.plot .perfect { stroke: var(--soft); stroke-dasharray: 5 4; }
.plot .capacity { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 1 3; }
.plot .line { stroke-width: 2; }
.plot .line.a { stroke: var(--mark); }
.plot .line.b { stroke: var(--other); stroke-dasharray: 7 4; }
.plot .line.c { stroke: var(--third); stroke-dasharray: 2 3; }
.plot .line.perfect { stroke: var(--soft); stroke-width: 1; }
.plot .interval { stroke: var(--mark); stroke-width: 2; }
.plot .a { fill: var(--mark); stroke: var(--paper); }
.plot .b { fill: var(--paper); stroke: var(--other); stroke-width: 2; }
.plot .c { fill: var(--third); stroke: var(--paper); }
.plot .line.a, .plot .line.b, .plot .line.c { fill: none; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.7rem; }
  th, td { padding: .4rem .55rem; }
  pre { font-size: .78em; }
  .plot.wide text { font-size: 16px; }
}
@media print {
  @page { size: A4; margin: 14mm; }
  :root {
    color-scheme: light;
    --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #999; --head: #eee; --brand: #000; --grid: #ccc;
    --mark: #123a6b; --other: #8a3b06; --third: #3c5534;
    --good: #0c4a26; --good-paper: #fff; --warn: #5a3c00; --warn-paper: #fff; --bad: #8a0d0d; --bad-paper: #fff;
  }
  body { font-size: 10pt; line-height: 1.45; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  details::details-content { display: block; content-visibility: visible; height: auto; opacity: 1; }
  .scroll { overflow: visible; width: auto; border: 0; }
  table { font-size: 7.6pt; width: 100%; }
  th, td, td:first-child, td:first-child:not(.number) {
    position: static; min-width: 0; max-width: 28mm; padding: 1.2mm 1.4mm; overflow-wrap: break-word;
  }
  th.number, td.number { max-width: 22mm; }
  td:nth-child(2):not(.number) { max-width: 42mm; }
  table:not(:has(tr:nth-child(10))) { break-inside: avoid; }
  td small { white-space: normal; }
  td code { overflow-wrap: break-word; }
  .bar { min-width: 0; }
  thead { display: table-header-group; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  h1, h2, h3, summary { break-after: avoid; }
  p, li { orphans: 3; widows: 3; }
  tr, li, figure, pre, .notice, dl div { break-inside: avoid; }
  figure { max-width: 150mm; }
  .plot { max-height: 235mm; }
  th, .bar rect, .plot * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
