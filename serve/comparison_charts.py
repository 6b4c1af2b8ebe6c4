"""The drawings of a comparison's page, as script: the curve with its movable line, the hands, calibration, whiskers."""

from typing import Final

CHARTS: Final = r"""
const frame = {left: 52, right: 22, top: 48, bottom: 50};
let scale = null;

function marksTo(top, wanted) {
  const rough = top / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(by => by * power).find(step => step >= rough);
  const marks = [];
  for (let at = 0; at <= top + step * 1e-9; at += step) marks.push(at);
  return marks;
}

function axes(svg, {x, y, wide, high, xMarks, yMarks, xText, yText, xSays, ySays}) {
  for (const mark of yMarks) {
    svg.append(draw('path', {class: 'grid', d: `M${frame.left} ${y(mark)}H${wide - frame.right}`}),
      draw('text', {x: frame.left - 8, y: y(mark) + 4, 'text-anchor': 'end', text: ySays(mark)}));
  }
  for (const mark of xMarks) {
    svg.append(draw('path', {class: 'grid', d: `M${x(mark)} ${frame.top}V${high - frame.bottom}`}),
      draw('text', {x: x(mark), y: high - frame.bottom + 21, 'text-anchor': 'middle', text: xSays(mark)}));
  }
  svg.append(draw('text', {class: 'axis', x: (frame.left + wide - frame.right) / 2, y: high - 10,
    'text-anchor': 'middle', text: xText}), draw('text', {class: 'axis', x: 0, y: 14, text: yText}));
}

function drawCurve() {
  const svg = by('curve'), wide = Math.max(280, Math.round(svg.parentElement.clientWidth)) || 720;
  const high = Math.round(Math.min(380, Math.max(280, wide * 0.5)));
  const value = state.show === 'value' && data.value;
  const sides = value ? data.value : data.captured;
  svg.replaceChildren();
  svg.setAttribute('viewBox', `0 0 ${wide} ${high}`);
  svg.setAttribute('aria-label', say(value ? 'curve_name_value' : 'curve_name', {a: the(0), b: the(1)}));
  const ends = sides.flatMap(side => side.flatMap(place => place.filter(end => end !== null)));
  const low = value ? Math.min(0, ...ends) : 0, top = value ? Math.max(1, ...ends) : 1;
  const x = share => frame.left + share * (wide - frame.left - frame.right);
  const y = at => high - frame.bottom - (at - low) / (top - low) * (high - frame.top - frame.bottom);
  scale = {x, y, wide, high, sides, value};
  const compact = mark => format(mark, {notation: 'compact', maximumFractionDigits: 1});
  const up = marksTo(top, 5), down = low < 0 ? marksTo(-low, 3).slice(1).map(mark => -mark) : [];
  const apart = down.filter(mark => y(mark) < high - frame.bottom + 2);
  axes(svg, {x, y, wide, high, xMarks: wide < 480 ? [0, .25, .5, .75, 1] : [0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1],
    yMarks: value ? [...apart, ...up] : [0, .2, .4, .6, .8, 1], xText: say('axis_share'),
    yText: say(value ? 'axis_value' : 'axis_captured', {currency: data.currency}), xSays: percent,
    ySays: value ? compact : percent});
  const start = [0, 0, 0], shares = [0, ...data.share];
  for (const [side, name] of [[1, 'b'], [0, 'a']]) {
    const places = [start, ...sides[side]];
    const edge = end => shares.map((share, at) => [x(share), y(places[at][end] ?? places[at][0])]);
    const path = dots => dots.map(([left, up]) => `${left.toFixed(1)} ${up.toFixed(1)}`).join('L');
    svg.append(draw('path', {class: 'band ' + name, d: `M${path(edge(1))}L${path(edge(2).reverse())}Z`}),
      draw('path', {class: 'line ' + name, d: 'M' + path(edge(0))}));
  }
  if (!value) svg.append(draw('path', {class: 'line perfect', d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}`}));
  svg.append(draw('g', {id: 'line'}));
  const key = (name, text) => make('span', {class: 'key'},
    draw('svg', {viewBox: '0 0 34 12', width: '34', height: '12', 'aria-hidden': 'true', class: 'plot-key'},
      draw('path', {class: 'line ' + name, d: 'M1 6H33'})), make('span', {text}));
  by('curve-key').replaceChildren(key('a', upper(the(0))), key('b', upper(the(1))),
    ...(value ? [] : [key('perfect', say('random'))]), make('span', {class: 'key', text: '▒ ' + say('interval')}));
}

function moveLine() {
  const {x, y, high, wide, sides} = scale, share = data.share[state.at], at = x(share);
  const left = at > wide - 150, anchor = left ? 'end' : 'start', beside = left ? -12 : 12;
  const ups = [0, 1].map(side => y(sides[side][state.at][0]));
  // Beside their marks, but apart from each other and within the axes.
  const above = ups[0] <= ups[1] ? 0 : 1, apart = Math.max(0, 17 - Math.abs(ups[0] - ups[1])) / 2;
  const besides = [0, 1].map(side => ups[side] + 4 + (side === above ? -apart : apart));
  const down = Math.max(0, frame.top + 14 - besides[above]);
  const up = Math.max(0, besides[1 - above] + down - (high - frame.bottom - 12));
  const says = scale.value ? brief : exact;
  const marks = [0, 1].flatMap(side => {
    const [value, low, high_] = sides[side][state.at];
    const text = besides[side] + down - up;
    return [draw('path', {class: 'interval ' + 'ab'[side], d: `M${at} ${y(low ?? value)}V${y(high_ ?? value)}`}),
      side ? draw('rect', {class: 'b', x: at - 5, y: ups[1] - 5, width: 10, height: 10})
        : draw('circle', {class: 'a', cx: at, cy: ups[0], r: 5.5}),
      draw('text', {class: 'told ' + 'ab'[side], x: at + beside, y: text, 'text-anchor': anchor,
        text: short(side) + ' ' + says(value)})];
  });
  const end = Math.min(wide - frame.right - 22, Math.max(frame.left + 22, at));
  document.getElementById('line').replaceChildren(
    draw('path', {class: 'capacity', d: `M${at} ${frame.top - 8}V${high - frame.bottom}`}),
    draw('rect', {class: 'grip', x: at - 7, y: high - frame.bottom - 11, width: 14, height: 22, rx: 5}),
    draw('path', {class: 'grip-line', d: `M${at - 2.5} ${high - frame.bottom - 5}v10m5 -10v10`}),
    draw('text', {class: 'told', x: end, y: frame.top - 12, 'text-anchor': 'middle', text: percent(share)}), ...marks);
}

function follow(event) {
  const svg = by('curve'), at = svg.getBoundingClientRect();
  const place = (event.clientX - at.left) / at.width * scale.wide;
  const share = (place - frame.left) / (scale.wide - frame.left - frame.right);
  let nearest = 0;
  data.share.forEach((one, at) => { if (Math.abs(one - share) < Math.abs(data.share[nearest] - share)) nearest = at; });
  if (nearest !== state.at) move(nearest);
}
by('curve').addEventListener('pointerdown', event => {
  event.preventDefault();
  event.currentTarget.setPointerCapture(event.pointerId);
  by('share').focus({preventScroll: true});
  follow(event);
});
by('curve').addEventListener('pointermove', event => { if (event.buttons) follow(event); });

function drawHands() {
  const svg = by('hands'), wide = Math.max(280, Math.round(svg.parentElement.clientWidth)) || 720, high = 46;
  const [one, other] = [0, 1].map(side => data.only[side][state.at]);
  const calls = data.share[state.at] * data.snapshots, both = calls - one[0];
  const every = both + one[0] + other[0];
  svg.setAttribute('viewBox', `0 0 ${wide} ${high}`);
  const parts = [[one, 'a', short(0)], [[both, data.captured[0][state.at][0] * data.converted - one[1]], 'both',
    say('everyone')], [other, 'b', short(1)]];
  svg.setAttribute('aria-label', say('hands_name', {told: parts.map(([[leads, hits], , name]) =>
    `${name} ${plain(leads)} (${say('converted')} ${plain(Math.max(0, hits))})`).join(', ')}));
  let at = 0;
  svg.replaceChildren(...parts.flatMap(([[leads, hits], name, text]) => {
    const size = leads / every * wide, found = leads ? Math.max(0, hits) / leads * size : 0, begin = at;
    at += size;
    if (size < 0.5) return [];
    const room = size > 9 * (text.length + plain(leads).length + 1);
    return [draw('rect', {class: 'hand ' + name, x: begin + 1, y: 18, width: Math.max(0, size - 2), height: 16}),
      draw('rect', {class: 'hit ' + name, x: begin + 1, y: 34, width: Math.max(0, found - 2), height: 8}),
      room ? draw('text', {x: begin + 2, y: 13, text: text + ' ' + plain(leads)}) : null].filter(Boolean);
  }));
}

function drawCalibration() {
  const svg = by('calibration-plot'), wide = Math.min(520, Math.round(svg.parentElement.clientWidth) || 480);
  const high = Math.round(wide * 0.86);
  const top = Math.min(1, Math.max(0.01, ...data.calibration.flatMap(side =>
    side.flatMap(row => [row.promised, row.high]))) * 1.04);
  svg.replaceChildren();
  svg.setAttribute('viewBox', `0 0 ${wide} ${high}`);
  svg.setAttribute('aria-label', say('calibration_name', {a: the(0), b: the(1)}));
  const x = at => frame.left + at / top * (wide - frame.left - frame.right);
  const y = at => high - frame.bottom - at / top * (high - frame.top - frame.bottom);
  const marks = marksTo(top, wide < 400 ? 4 : 5);
  axes(svg, {x, y, wide, high, xMarks: marks, yMarks: marks, xText: say('promised'), yText: say('happened'),
    xSays: percent, ySays: percent});
  svg.append(draw('path', {class: 'line perfect', d: `M${x(0)} ${y(0)}L${x(top)} ${y(top)}`}));
  data.calibration.forEach((side, number) => side.forEach(row => {
    const name = 'ab'[number], at = x(row.promised) + (number ? 1.5 : -1.5);
    svg.append(draw('path', {class: 'interval ' + name, d: `M${at} ${y(row.low)}V${y(row.high)}`}), number
      ? draw('rect', {class: 'b', x: at - 4.5, y: y(row.happened) - 4.5, width: 9, height: 9})
      : draw('circle', {class: 'a', cx: at, cy: y(row.happened), r: 5}));
  }));
  by('calibration-key').replaceChildren(...[0, 1].map(side => make('span', {class: 'key'},
    draw('svg', {viewBox: '0 0 14 14', width: '14', height: '14', 'aria-hidden': 'true', class: 'plot-key'}, side
      ? draw('rect', {class: 'b', x: 2.5, y: 2.5, width: 9, height: 9})
      : draw('circle', {class: 'a', cx: 7, cy: 7, r: 5})), make('span', {text: upper(the(side))}))));
  const headings = [{text: ''}, {text: say('promised'), number: true}, {text: say('happened'), number: true},
    {text: say('interval'), number: true}, {text: say('leads'), number: true}];
  by('calibration-table').replaceChildren(tableOf(headings, data.calibration.flatMap((side, number) =>
    side.map(row => ({cells: [short(number), percent(row.promised), percent(row.happened),
      range(row.low, row.high, percent), whole(row.leads)]})))));
}

function whisker([value, low, high], far) {
  const x = at => 60 + at / far * 56;
  return draw('svg', {viewBox: '0 0 120 16', width: '120', height: '16', class: 'whisker', 'aria-hidden': 'true'},
    draw('path', {class: 'zero', d: 'M60 0V16'}),
    draw('path', {class: 'interval ' + (low > 0 ? 'a' : high < 0 ? 'b' : 'none'), d: `M${x(low)} 8H${x(high)}`}),
    low > 0 || high >= 0 && low <= 0 && value >= 0
      ? draw('circle', {class: low > 0 ? 'a' : 'none', cx: x(value), cy: 8, r: 4})
      : draw('rect', {class: high < 0 ? 'b' : 'none', x: x(value) - 3.5, y: 4.5, width: 7, height: 7}));
}
"""
