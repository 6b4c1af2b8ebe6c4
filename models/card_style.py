"""The style of a model card's page: for a screen by day and by night, a telephone, and paper."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2733; --soft: #5b6776; --line: #e2e0d9; --head: #f3f1eb;
  --brand: #1f3a5f; --mark: #2f6db3; --grid: #e9e7e0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1a2028; --ink: #e4e8ed; --soft: #9aa7b5; --line: #2d3641; --head: #212934;
    --brand: #b9d3f2; --mark: #6ea8e6; --grid: #29313c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3 { color: var(--brand); line-height: 1.25; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 .75rem; }
h2 { font-size: 1.4rem; margin: 2.75rem 0 .6rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .4rem; }
p, li { max-width: 46rem; }
p, ul { margin: .6rem 0; }
ul { padding-left: 1.3rem; }
li { margin: .3rem 0; }
li, td, code, strong { unicode-bidi: isolate; }
p, li, dt { overflow-wrap: anywhere; }
a { color: var(--mark); }
small { color: var(--soft); font-size: .85em; white-space: nowrap; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
pre {
  overflow-x: auto; background: var(--head); border: 1px solid var(--line); border-radius: .5rem;
  padding: .8rem 1rem; line-height: 1.5;
}
#title p { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
dt { color: var(--soft); font-size: .88rem; line-height: 1.35; }
dd { margin: .25rem 0 0; font-size: 1.6rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
dd small { display: block; font-size: .82rem; font-weight: 400; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
nav li { margin: .1rem 0; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.scroll {
  overflow-x: auto; width: fit-content; max-width: 100%; margin: 1rem 0; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem;
}
table { border-collapse: collapse; font-size: .92rem; line-height: 1.4; }
th, td { padding: .45rem .8rem; text-align: left; vertical-align: top; }
th { background: var(--head); color: var(--soft); font-weight: 600; white-space: nowrap; }
td { border-top: 1px solid var(--line); min-width: 5.5rem; max-width: 24rem; overflow-wrap: break-word; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; width: 100%; min-width: 5rem; height: .3rem; margin-top: .3rem; transform: scaleX(-1); }
.bar rect { fill: var(--mark); }
figure { margin: 1.25rem 0; max-width: 30rem; }
figcaption { color: var(--soft); font-size: .88rem; }
.plot { display: block; width: 100%; height: auto; }
.plot text { fill: var(--soft); font-size: 12px; }
.plot path { fill: none; stroke: var(--grid); }
.plot .perfect { stroke: var(--soft); stroke-dasharray: 5 4; }
.plot .interval { stroke: var(--mark); stroke-width: 2; }
.plot circle { fill: var(--mark); stroke: var(--paper); }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.7rem; }
  th, td { padding: .4rem .6rem; }
  pre { font-size: .78em; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --head: #fff; --brand: #000; --grid: #ddd;
    --mark: #1f3a5f;
  }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  .scroll { overflow: visible; border: 0; }
  table { font-size: 8.5pt; }
  .number, small, th { white-space: normal; }
  pre { white-space: pre-wrap; }
  h1, h2, h3 { break-after: avoid; }
  tr, li, figure, dl div { break-inside: avoid; }
  .bar rect, .plot circle { print-color-adjust: exact; }
}
"""
