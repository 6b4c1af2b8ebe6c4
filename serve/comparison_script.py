"""The script of a comparison's page: its state, its words, and what follows the capacity line.

It reads the block of data (`comparison_page`), draws with what `comparison_charts` and `comparison_table` define, and
shows every text that came from data with `textContent`.
"""

from typing import Final

from serve.comparison_charts import CHARTS
from serve.comparison_table import TABLE

_BASE: Final = r"""
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const state = {language: data.language, at: data.capacity, show: 'captured', column: 0, side: '', outcome: '',
  search: '', sort: 'order', falling: false, most: 100};  // a long table takes long to lay out
const by = id => document.getElementById(id);
const words = () => data.words[state.language];
const say = (key, told = {}) => words()[key].replace(/\{(\w+)\}/g, (all, name) => name in told ? told[name] : all);
const formats = {};
const format = (value, how) => {  // to make one takes long
  const name = state.language + JSON.stringify(how);
  return (formats[name] ??= new Intl.NumberFormat(state.language, how)).format(value === 0 ? 0 : value);
};
const decimal = (value, digits) => format(value, {minimumFractionDigits: digits, maximumFractionDigits: digits});
const whole = value => decimal(Math.round(value), 0);
const plain = value => Math.abs(value) >= 0.005 && Math.abs(value) < 0.095 ? decimal(value, 2)
  : Math.abs(value) >= 9.95 || Math.abs(value - Math.round(value)) < 0.05 ? whole(value) : decimal(value, 1);
const percent = share => say('percent', {number: plain(100 * share)});
const signed = (value, as) => (value > 0 ? '+' : value < 0 ? '−' : '') + as(Math.abs(value));
const fine = value => decimal(value, Math.abs(value) >= 0.005 && Math.abs(value) < 0.095 ? 2 : 1);
const exact = share => say('percent', {number: fine(100 * share)});
const points = share => signed(Math.abs(share) < 0.00005 ? 0 : share, part => fine(100 * part));
const coarse = value => {  // three figures: more would feign certainty
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value)))) - 2);
  return Math.round(value / step) * step;
};
const money = value => say('money', {amount: signed(coarse(value), whole), currency: data.currency});
const brief = value => say('money', {amount: format(value, {notation: 'compact', maximumSignificantDigits: 3}),
  currency: data.currency});
const range = (low, high, as) => low === null || high === null ? '–' : say('range', {low: as(low), high: as(high)});
const kind = side => data.names[side].split(' ')[0];
const called = side => ({name: data.names[side].split(' ').slice(1).join(' ')});
const the = side => say('the_' + kind(side), called(side));
const short = side => say('short_' + kind(side), called(side));
const word = difference => difference[1] === null ? 'level'
  : difference[1] > 0 ? 'better' : difference[2] < 0 ? 'worse' : 'level';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name === 'text') node.textContent = value;
    else if (name === 'on') for (const [event, then] of Object.entries(value)) node.addEventListener(event, then);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter(child => child !== null));
  return node;
}
const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const draw = (name, attributes = {}, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
const box = table => make('div', {class: 'scroll', tabindex: '0'}, table);
function tableOf(headings, rows) {
  const number = at => headings[at].number ? 'number' : null;
  return make('table', {},
    make('thead', {}, make('tr', {}, ...headings.map((head, at) =>
      make('th', {scope: 'col', class: number(at), text: head.text})))),
    make('tbody', {}, ...rows.map(row => make('tr', {class: row.marked ? 'marked' : null},
      ...row.cells.map((cell, at) => typeof cell === 'string' ? make('td', {class: number(at), text: cell})
        : make('td', {class: number(at)}, cell))))));
}
"""

_PAGE: Final = r"""
function showFigures() {
  const at = state.at, share = data.share[at], converted = data.converted;
  const leads = plain(share * data.snapshots / data.lists / data.drawn);
  by('now').textContent = say('capacity_now', {share: percent(share), leads, per: say('per_' + data.per)});
  const range_ = by('share');
  range_.value = at;
  range_.setAttribute('aria-valuetext', by('now').textContent);
  const card = (term, figure, note, tone) => make('div', {class: tone || null},
    make('dt', {text: term}), make('dd', {}, make('b', {text: figure}), make('small', {text: note})));
  const finds = side => card(say('finds', {name: the(side)}), exact(data.captured[side][at][0]),
    say('of_conversions', {converted: whole(converted), found: plain(data.captured[side][at][0] * converted),
      lift: plain(data.captured[side][at][0] / share)}), 'side-' + 'ab'[side]);
  const only = side => {
    const [leads, hits] = data.only[side][at];
    return card(say('only', {name: the(side)}), plain(leads), leads < 0.05 ? say('only_none')
      : say('only_note', {converted: plain(hits), rate: percent(hits / leads)}), 'side-' + 'ab'[side]);
  };
  const difference = data.difference[at], verdict = word(difference);
  const told = [finds(0), finds(1),
    card(say('difference'), say('of_hundred', {number: points(difference[0])}), verdict === 'level'
      ? say('difference_level', {range: range(difference[1], difference[2], points)})
      : say('difference_note', {range: range(difference[1], difference[2], points), name: the(0), word: say(verdict)}),
      'word-' + verdict)];
  if (data.value) told.push(card(say('worth'), money(data.value_difference[at][0]), say('worth_note', {
    range: range(data.value_difference[at][1], data.value_difference[at][2], money),
    cost: say('money', {amount: whole(data.touch_cost), currency: data.currency})}),
    'word-' + word(data.value_difference[at])));
  told.push(only(0), only(1));
  by('figures').replaceChildren(...told.map((one, place) => { one.firstChild.textContent =
    upper(one.firstChild.textContent); one.id = 'figure-' + place; return one; }));
  moveLine();
  drawHands();
}
const upper = text => text.charAt(0).toUpperCase() + text.slice(1);

function showCurveTable() {
  const wanted = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5];
  const places = data.share.map((share, at) => at).filter(at =>
    at === data.capacity || wanted.some(share => Math.abs(share - data.share[at]) < 1e-9));
  const headings = [{text: say('called')}, {text: upper(the(0)), number: true}, {text: upper(the(1)), number: true},
    {text: say('difference'), number: true}, {text: say('interval'), number: true}];
  if (data.value) headings.push({text: say('worth'), number: true}, {text: say('interval'), number: true});
  headings.push({text: say('only', {name: the(0)}), number: true}, {text: say('only', {name: the(1)}), number: true});
  by('curve-table').replaceChildren(tableOf(headings, places.map(at => {
    const d = data.difference[at], v = data.value ? data.value_difference[at] : null;
    return {marked: at === data.capacity, cells: [percent(data.share[at]),
      exact(data.captured[0][at][0]), exact(data.captured[1][at][0]), points(d[0]), range(d[1], d[2], points),
      ...(v ? [money(v[0]), range(v[1], v[2], money)] : []),
      ...[0, 1].map(side => plain(data.only[side][at][0]) + ' (' + plain(data.only[side][at][1]) + ')')]};
  })));
}

function showPortraits() {
  by('swap-how').textContent = say('swap_how', {share: percent(data.share[data.capacity])});
  const list = (title, lines) => lines.length
    ? [make('h4', {text: title}), make('ul', {}, ...lines.map(text => make('li', {text})))] : [];
  by('portraits').replaceChildren(...data.portraits.map((one, side) => {
    const said = of => of.map(([says, share]) => say('portrait_share', {says, share: percent(share)}));
    const named = the(0), other = 1 - side;
    const raised = list(say('portrait_for_model', {name: named}), said(one.for_model));
    const lowered = list(say('portrait_against_model', {name: named}), said(one.against_model));
    const counted = list(say('portrait_for_points'), said(one.for_points));
    const taken = list(say('portrait_against_points'), said(one.against_points));
    return make('div', {class: 'portrait side-' + 'ab'[side]},
      make('h3', {text: say('only', {name: the(side)})}),
      make('p', {text: one.leads < 0.05 ? say('only_none') : say('portrait_counts', {leads: plain(one.leads),
        converted: plain(one.converted), rate: percent(one.converted / one.leads),
        base: percent(data.converted / data.snapshots)})}),
      ...list(say('portrait_segments'), one.standouts.map(([column, value, share, all]) =>
        say('portrait_segment', {column, value, share: percent(share), of_all: percent(all)}))),
      ...(other ? [...raised, ...taken, ...counted] : [...counted, ...lowered, ...raised]));
  }));
}

function showGroups(id, first, groups) {
  if (!groups.length) return by(id).replaceChildren(make('p', {text: say('nothing_here')}));
  const far = Math.max(0.02, ...groups.flatMap(one => one.difference ? one.difference.map(Math.abs) : []));
  const headings = [{text: first}, {text: say('leads'), number: true}, {text: say('converted'), number: true},
    ...[0, 1].map(side => ({text: say('called_of', {name: the(side)}), number: true})),
    ...[0, 1].map(side => ({text: say('finds_of', {name: the(side)}), number: true})),
    {text: say('difference_axis')}, {text: say('interval')}, {text: ''}];
  const share = value => value === null ? '–' : percent(value);
  by(id).replaceChildren(box(tableOf(headings, groups.map(one => ({cells: [one.value, whole(one.leads),
    whole(one.converted), ...one.called.map(share), ...one.found.map(share),
    one.difference ? whisker(one.difference, far) : '–',
    one.difference ? make('span', {text: points(one.difference[0])}, make('small', {
      text: range(one.difference[1], one.difference[2], points)})) : '–',
    one.word ? say(one.word) : say('undecided')]})))));
}

function showMeasures() {
  const {spearman, kendall} = data.agreement;
  const two = value => signed(value, of => decimal(of, 2));
  by('alike').textContent = kendall === null ? say('alike_unknown')
    : say('alike', {spearman: two(spearman).replace('+', ''), kendall: two(kendall).replace('+', '')});
  const four = value => value === null ? '–' : decimal(value, 3);
  const change = value => value === null ? '–' : signed(value, of => decimal(of, 4));
  by('measures-table').replaceChildren(box(tableOf([{text: say('measure')}, {text: short(0), number: true},
    {text: short(1), number: true}, {text: say('difference'), number: true}, {text: say('interval'), number: true},
    {text: ''}], data.metrics.map(one => ({cells: [say(one.name), four(one.a), four(one.b), change(one.difference[0]),
    range(one.difference[1], one.difference[2], change), say(one.word || 'level')]})))));
}

function showColumns() {
  const columns = [...new Set(data.segments.map(one => one.column))];
  by('columns').hidden = columns.length < 1;
  by('column').replaceChildren(...columns.map((name, at) => make('option', {value: at, text: name})));
  by('column').value = state.column;
  showGroups('segments-table', columns[state.column] ?? say('segment'),
    data.segments.filter(one => one.column === columns[state.column]));
}

function showAll() {
  document.documentElement.lang = state.language;
  const date = text => new Intl.DateTimeFormat(state.language, {dateStyle: 'long', timeZone: 'UTC'})
    .format(new Date(text));
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = say(node.dataset.word,
    {name: the(0), a: the(0), b: the(1), per: say('per_' + data.per), share: percent(data.share[data.capacity]),
      first: date(data.first), last: date(data.last), drawn: percent(data.drawn)});
  for (const node of document.querySelectorAll('[data-hint]')) node.placeholder = say(node.dataset.hint);
  for (const node of document.querySelectorAll('[data-language]')) {
    node.setAttribute('aria-pressed', String(node.dataset.language === state.language));
  }
  by('heading').textContent = document.title = say('title', {a: upper(the(0)), b: the(1)});
  by('verdict').textContent = data.verdict[state.language];
  by('seen').textContent = say('seen', {snapshots: whole(data.snapshots), leads: whole(data.leads),
    first: date(data.first), last: date(data.last), converted: whole(data.converted), stage: data.stage,
    days: data.days});
  by('counted-value').hidden = !data.value;
  by('counted-drawn').hidden = data.drawn >= 1;
  by('capacity-usual').hidden = data.told;
  by('back').textContent = say(data.told ? 'capacity_back' : 'capacity_back_usual',
    {share: percent(data.share[data.capacity])});
  by('shows').hidden = !data.value;
  for (const node of document.querySelectorAll('[data-show]')) {
    node.setAttribute('aria-pressed', String(node.dataset.show === state.show));
  }
  drawCurve();
  showFigures();
  showCurveTable();
  showPortraits();
  drawCalibration();
  showFilters();
  showRows();
  showColumns();
  showGroups('months-table', say('month'), data.months);
  showMeasures();
}

function move(at) {
  state.at = Math.max(0, Math.min(data.share.length - 1, at));
  showFigures();
}
by('share').addEventListener('input', event => move(Number(event.target.value)));
by('back').addEventListener('click', () => move(data.capacity));
by('column').addEventListener('change', event => { state.column = Number(event.target.value); showColumns(); });
for (const node of document.querySelectorAll('[data-language]')) {
  node.addEventListener('click', () => { state.language = node.dataset.language; showAll(); });
}
for (const node of document.querySelectorAll('[data-show]')) {
  node.addEventListener('click', () => { state.show = node.dataset.show; showAll(); });
}
let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) < 2) return;
  width = entry.contentRect.width;
  drawCurve();
  moveLine();
  drawHands();
  drawCalibration();
}).observe(by('curve').parentElement);
showAll();
"""

SCRIPT: Final = _BASE + CHARTS + TABLE + _PAGE
