"""The table of the leads that change hands, as script: it sorts, filters, and opens the two sums behind each lead."""

from typing import Final

TABLE: Final = r"""
const says = place => data.texts[place];
const columns = [
  {key: 'lead', of: row => row.lead, text: () => say('lead')},
  {key: 'date', of: row => row.date, text: () => say('date')},
  {key: 'side', of: row => row.side, text: () => say('called_by')},
  {key: 'outcome', of: row => row.converted ? 0 : 1, text: () => say('outcome')},
  {key: 'a', of: row => -row.a, text: () => short(0), number: true},
  {key: 'b', of: row => -row.b, text: () => short(1), number: true},
];
const outcome = row => say(row.converted ? 'converted' : 'not_converted');
const strongest = row => [...(row.reasons ? row.reasons.told.slice(0, 2).map(([text, effect]) =>
  (effect > 0 ? '▲ ' : '▼ ') + says(text)) : []),
  ...(row.parts || []).slice(0, 1).map(([text, amount]) => signed(amount, plain) + ' ' + says(text))].join(' · ');
for (const row of data.swap) {
  row.found = [row.lead, row.date, ...(row.reasons ? row.reasons.told.map(([text]) => says(text)) : []),
    ...(row.parts || []).map(([text]) => says(text))].join(' ').toLowerCase();
}

function chosen() {
  const wanted = state.search.trim().toLowerCase();
  const rows = data.swap.filter(row => (!state.side || row.side === state.side)
    && (!wanted || row.found.includes(wanted))
    && (!state.outcome || row.converted === (state.outcome === 'yes')));
  const column = columns.find(one => one.key === state.sort);
  if (!column) return rows;
  const sign = state.falling ? -1 : 1;
  return rows.sort((one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    return sign * (typeof a === 'string' ? a.localeCompare(b, state.language, {numeric: true}) : a - b)
      || one.order - other.order;
  });
}

function showFilters() {
  by('swap-none').hidden = data.swapped > 0;
  by('leads').hidden = !data.swapped;
  by('list-note').textContent = (data.swap.length < data.swapped
    ? say('list_capped', {shown: whole(data.swap.length), all: whole(data.swapped)})
    : say('list_all', {all: whole(data.swapped)}))
    + (data.swap.some(row => row.part < 0.9995) ? ' ' + say('list_partly') : '');
  by('filter-text').value = state.search;
  const options = (id, told) => by(id).replaceChildren(...told.map(([value, text]) => make('option', {value, text})));
  options('filter-side', [['', say('everyone')], ...[0, 1].map(side =>
    ['ab'[side], say('only_side', {name: the(side)})])]);
  options('filter-outcome', [['', say('any')], ['yes', say('converted')], ['no', say('not_converted')]]);
  by('filter-side').value = state.side;
  by('filter-outcome').value = state.outcome;
}

function sumsOf(row) {
  const line = (figure, text, tone) => make('li', {class: tone || null}, make('b', {text: figure}),
    make('span', {text}));
  const times = effect => '×' + format(Math.exp(effect), {maximumSignificantDigits: 2});
  const chance = odds => percent(1 / (1 + Math.exp(-odds)));
  const model = [make('h4', {text: say(kind(0) === 'version' ? 'sum_version' : 'sum_model', {name: the(0)})})];
  if (row.reasons) {
    const {start, rest, calibration, told} = row.reasons;
    const sum = start + rest + calibration + told.reduce((all, [, effect]) => all + effect, 0);
    model.push(make('ul', {class: 'sum'}, line(chance(start), say('start'), 'end'),
      ...told.map(([text, effect]) => line(times(effect), says(text), effect > 0 ? 'up' : 'down')),
      line(times(rest), say('rest')), line(times(calibration), say('calibration_part')),
      line(chance(sum), say('total'), 'end')));
  } else model.push(make('p', {text: say('sum_no_reasons', {name: the(0)})}));
  const sides = [make('div', {}, ...model)];
  if (kind(1) === 'points') {
    const counted = [make('h4', {text: say('sum_points')})];
    if (row.parts) {
      counted.push(make('ul', {class: 'sum'},
        ...row.parts.map(([text, amount]) => line(signed(amount, plain), says(text), amount > 0 ? 'up' : 'down')),
        line(plain(row.b_says), say('total'), 'end')));
    } else counted.push(make('p', {text: row.b_says === null ? say('sum_none')
      : say('sum_points_whole', {points: plain(row.b_says)})}));
    sides.push(make('div', {}, ...counted));
  }
  return sides;
}

function showRows() {
  const rows = chosen();
  by('rows-shown').textContent = say('rows_shown', {shown: whole(rows.length), all: whole(data.swap.length)});
  by('none-fits').hidden = rows.length > 0;
  const heading = column => make('th', {scope: 'col', class: column.number ? 'number' : null,
    'aria-sort': state.sort === column.key ? state.falling ? 'descending' : 'ascending' : null},
    make('button', {type: 'button', class: 'sort', 'data-sort': column.key, on: {click: () => {
      state.falling = state.sort === column.key && !state.falling;
      state.sort = column.key;
      showRows();
      document.querySelector(`[data-sort=${column.key}]`).focus();
    }}}, make('span', {text: column.text()}), make('span', {class: 'arrow', 'aria-hidden': 'true',
      text: state.sort === column.key ? state.falling ? ' ▼' : ' ▲' : ' ↕'})));
  const said = (row, side) => {
    const value = row['ab'[side] + '_says'];
    const text = value === null ? '–' : kind(side) === 'points' ? plain(value) : percent(value);
    return make('td', {class: 'number'}, make('span', {text}),
      make('small', {text: say('top', {share: percent(Math.max(0, 1 - row['ab'[side]]))})}));
  };
  const rowOf = row => {
    const name = short(row.side === 'a' ? 0 : 1);
    const shown = make('tr', {class: 'side-' + row.side},
      make('td', {}, make('button', {type: 'button', class: 'open', 'aria-expanded': 'false',
        'aria-label': say('details_of', {lead: row.lead}), on: {click: event => {
          const button = event.currentTarget, open = button.getAttribute('aria-expanded') === 'true';
          button.setAttribute('aria-expanded', String(!open));
          if (open) shown.nextElementSibling.remove();
          else shown.after(make('tr', {class: 'sums'}, make('td', {colspan: '7'},
            make('div', {class: 'pair'}, ...sumsOf(row)))));
        }}}, make('span', {text: row.lead}))),
      make('td', {class: 'date', text: row.date}),
      make('td', {}, make('span', {class: 'tag ' + row.side, text: name}),
        row.part < 0.9995 ? make('small', {text: say('part', {share: percent(row.part)})}) : null),
      make('td', {class: row.converted ? 'yes' : 'no', text: (row.converted ? '✓ ' : '') + outcome(row)}),
      said(row, 0), said(row, 1), make('td', {class: 'why', text: strongest(row)}));
    return shown;
  };
  by('swap-table').replaceChildren(
    make('thead', {}, make('tr', {}, ...columns.map(heading), make('th', {scope: 'col', text: say('why')}))),
    make('tbody', {}, ...rows.slice(0, state.most).map(rowOf)));
  by('more').hidden = rows.length <= state.most;
  by('more').textContent = say('show_more', {all: whole(rows.length)});
}

const filtered = (id, key, event) => by(id).addEventListener(event, () => { state[key] = by(id).value; showRows(); });
filtered('filter-text', 'search', 'input');
filtered('filter-side', 'side', 'change');
filtered('filter-outcome', 'outcome', 'change');
by('more').addEventListener('click', () => {
  const next = state.most;
  state.most = Infinity;
  showRows();
  by('swap-table').querySelectorAll('.open')[next].focus();
});
by('clear').addEventListener('click', () => {
  state.search = state.side = state.outcome = '';
  showFilters();
  showRows();
  by('filter-text').focus();
});
"""
