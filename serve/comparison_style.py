"""What a comparison's page adds to the common style."""

from typing import Final

STYLE: Final = """
.languages { display: flex; justify-content: flex-end; gap: .4rem; margin-bottom: .5rem; }
button, select, input {
  font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .45rem;
  padding: .3rem .7rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--mark); }
button[aria-pressed="true"] { background: var(--brand); color: var(--paper); border-color: var(--brand); }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
[hidden] { display: none !important; }
main { padding-top: 1.4rem; }
h1 { margin-bottom: .5rem; }
#capacity h2 { margin-top: 1.5rem; }
#seen { max-width: none; }
.notice { font-size: 1.06rem; line-height: 1.5; }
.level { color: var(--brand); background: var(--head); }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: 1rem 1.1rem; }
.panel figure, figure.whole { margin: 0; max-width: none; }
.bar-of { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .4rem 0; }
.choice { display: inline-flex; gap: .35rem; }
#curve { cursor: ew-resize; touch-action: pan-y; user-select: none; -webkit-user-select: none; max-width: none; }
#hands, #calibration-plot { max-width: none; }
#calibration-figure { max-width: 33rem; }
#curve text, #hands text, #calibration-plot text { font-size: 12.5px; }
#curve .told { font-size: 13px; }
.plot .axis { fill: var(--ink); font-weight: 600; }
.plot .grid { stroke: var(--grid); }
.plot .band { stroke: none; opacity: .16; }
.plot .band.a { fill: var(--mark); }
.plot .band.b { fill: var(--other); stroke: none; }
.plot .line.perfect { stroke-dasharray: 2 4; }
.plot .line { stroke-width: 2.25; }
.plot .capacity { stroke-dasharray: none; stroke-width: 1.5; }
.plot .interval { stroke-width: 2; fill: none; }
.plot .interval.a { stroke: var(--mark); fill: none; }
.plot .interval.b { stroke: var(--other); fill: none; }
.plot .grip { fill: var(--brand); stroke: var(--paper); stroke-width: 1.5; }
.plot .grip-line { stroke: var(--paper); stroke-width: 1.5; }
.plot .told { fill: var(--ink); font-weight: 650; stroke: none; paint-order: stroke; }
.plot .told.a { fill: var(--mark); stroke: var(--card); stroke-width: 4; }
.plot .told.b { fill: var(--other); stroke: var(--card); stroke-width: 4; }
.plot-key { vertical-align: -2px; margin-right: .35rem; }
.plot-key .line { fill: none; stroke-width: 2.25; }
.plot-key .line.a { stroke: var(--mark); }
.plot-key .line.b { stroke: var(--other); stroke-dasharray: 7 4; }
.plot-key .line.perfect { stroke: var(--soft); stroke-dasharray: 2 4; stroke-width: 1; }
.plot-key circle.a { fill: var(--mark); }
.plot-key rect.b { fill: var(--card); stroke: var(--other); stroke-width: 2; }
.keys { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; font-size: .9rem; color: var(--soft); }
.hand { stroke: none; }
.plot .hand.a { fill: var(--mark); stroke: none; }
.plot .hand.b { fill: var(--other); stroke: none; }
.plot .hand.both { fill: var(--line); }
.plot .hit.a, .plot .hit.b, .plot .hit.both { fill: var(--ink); stroke: none; }
.slide { display: block; width: calc(100% - 58px); margin: .2rem 14px .5rem 44px; padding: 0; border: 0; }
.slide { accent-color: var(--brand); }
.now { font-weight: 600; font-size: 1.05rem; }
#figures { grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); margin: 1rem 0 .4rem; }
#figures div { border-left-width: .35rem; }
#figures .side-a { border-left-color: var(--mark); }
#figures .side-b { border-left-color: var(--other); }
#figures .word-better { border-left-color: var(--good); }
#figures .word-better b { color: var(--good); }
#figures .word-worse { border-left-color: var(--bad); }
#figures .word-worse b { color: var(--bad); }
#figures .word-level { border-left-color: var(--soft); }
dd small { display: block; }
.portraits { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
.portrait { background: var(--card); border: 1px solid var(--line); border-top: .3rem solid; border-radius: .6rem; }
.portrait { padding: .3rem 1.1rem .8rem; }
.portrait.side-a { border-top-color: var(--mark); }
.portrait.side-b { border-top-color: var(--other); }
.portrait h3 { margin-top: .8rem; }
h4 { margin: .9rem 0 .2rem; font-size: .95rem; color: var(--soft); font-weight: 600; }
.portrait ul { margin: .2rem 0; }
.filters { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; margin: 1rem 0 .4rem; }
.filters label { display: grid; gap: .15rem; font-size: .9rem; color: var(--soft); }
.filters input { width: 16rem; max-width: 100%; }
.scroll { overscroll-behavior-x: contain; }
.long { max-height: 36rem; overflow: auto; width: auto; }
.long thead th { position: sticky; top: 0; z-index: 2; }
th .sort { all: unset; cursor: pointer; font-weight: 600; }
th .sort:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.arrow { color: var(--soft); white-space: pre; }
.open { all: unset; cursor: pointer; color: var(--mark); overflow-wrap: anywhere; }
.open:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.open::before { content: "▸ "; }
.open[aria-expanded="true"]::before { content: "▾ "; }
.date { white-space: nowrap; }
.tag { font-weight: 600; }
.tag.a { color: var(--mark); }
.tag.b { color: var(--other); }
.tag.a::before { content: "● "; }
.tag.b::before { content: "□ "; }
.yes { color: var(--good); font-weight: 600; }
.no { color: var(--soft); }
td.why { min-width: 16rem; max-width: 26rem; color: var(--soft); }
tr.sums td { background: var(--head); max-width: none; position: static; }
tr.marked td { background: var(--head); font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: .5rem 2rem; }
.sum { list-style: none; padding: 0; }
.sum li { display: grid; grid-template-columns: 4.5rem 1fr; gap: .6rem; margin: .1rem 0; }
.sum b { text-align: right; font-variant-numeric: tabular-nums; }
.sum .up b { color: var(--good); }
.sum .down b { color: var(--bad); }
.sum .end { font-weight: 600; border-top: 1px solid var(--line); }
#months-table td:first-child { white-space: nowrap; }
.whisker { display: block; width: 120px; height: 16px; }
.whisker path { fill: none; }
.whisker .zero { stroke: var(--line); }
.whisker .interval { stroke: var(--soft); stroke-width: 2; }
.whisker .interval.a { stroke: var(--mark); }
.whisker .interval.b { stroke: var(--other); }
.whisker .a { fill: var(--mark); }
.whisker .b { fill: var(--other); }
.whisker .none { fill: var(--soft); }
.on-paper { display: none; }
@media (max-width: 40rem) {
  .filters input { width: 100%; }
  .filters label { flex: 1 1 100%; }
  td.why { min-width: 12rem; }
}
@media print {
  .languages, .filters, .slide, .label, #back, #more, #rows-shown, .choice, .arrow { display: none !important; }
  .on-paper { display: block; }
  .long { max-height: none; }
  #swap-table tbody tr:nth-child(n+41) { display: none; }
  .open::before { content: ""; }
  .open { color: var(--ink); }
  .whisker { width: 28mm; }
  td.why { min-width: 0; max-width: 50mm; }
  .portrait, #figures { break-inside: avoid; }
  .long thead th { position: static; }
  .hand, .hit, .band, .plot-key * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
