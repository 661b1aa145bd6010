// Cache and instructions: the function table, and source files with what their lines cost.

const EVENT_HELP = {
  Ir: 'instructions executed', I1mr: 'first-level instruction cache misses', ILmr: 'last-level instruction misses',
  Dr: 'data reads', D1mr: 'first-level data read misses', DLmr: 'last-level data read misses',
  Dw: 'data writes', D1mw: 'first-level data write misses', DLmw: 'last-level data write misses',
  Bc: 'conditional branches', Bcm: 'conditional branches mispredicted', Bi: 'indirect branches', Bim: 'indirect branches mispredicted',
};

const PRINTED = ['Ir', 'D1mr', 'D1mw']; // what paper has room for

async function startCost() {
  const host = document.getElementById('functions');
  if (!host) return;
  const doc = await loadPart('cost');
  const column = (name) => doc.counts[doc.events.indexOf(name)];
  const [dr, dw, d1r, d1w] = ['Dr', 'Dw', 'D1mr', 'D1mw'].map(column);
  const rate = (r) => (dr && dr[r] + dw[r] > 0 ? 100 * (d1r[r] + d1w[r]) / (dr[r] + dw[r]) : NaN);
  const columns = [
    { title: 'Function', value: (r) => doc.names[r], cell: (r) => functionCell(doc, r) },
    { title: doc.ranked_by === ESTIMATE ? 'Estimated cycles' : doc.ranked_by, numeric: true, help: doc.ranked_by !== ESTIMATE ? 'The first event that was counted' : `${doc.formula}: to rank by, not a time`, value: (r) => doc.cycles[r], text: (r) => whole(doc.cycles[r]) },
    { title: '%', numeric: true, value: (r) => doc.cycles[r], text: (r) => percent(100 * doc.cycles[r] / (doc.total_cycles || 1)) },
  ];
  if (dr) columns.push({ title: 'D1 miss %', numeric: true, help: 'Share of data reads and writes that miss the simulated first-level cache', value: rate, text: (r) => percent(rate(r)) });
  doc.events.forEach((name, e) => columns.push({ title: name, numeric: true, minor: doc.events.length > 6 && !PRINTED.includes(name), help: EVENT_HELP[name] || name, value: (r) => doc.counts[e][r], text: (r) => whole(doc.counts[e][r]) }));
  const table = new SortTable(host, { caption: 'Functions by cost', columns, count: doc.functions.length, page: 40, sort: { column: 1, down: true } });
  const input = document.getElementById('function-filter');
  const words = { list: doc.functions.map((name, i) => `${name} ${doc.files[doc.file[i]]}`) };
  const apply = () => { wordFilter(input, words, table); writeAddress('cache', { function: input.value }); };
  input.addEventListener('input', apply);
  table.render();
  const sources = startSources(doc);
  onAddress('cache', async (values) => {
    if (values.has('function')) { input.value = values.get('function'); wordFilter(input, words, table); host.scrollIntoView({ block: 'center', behavior: 'instant' }); }
    const wanted = values.get('source') || values.get('file');
    if (wanted && sources) await sources.open(wanted, Number(values.get('line') || 0));
  });
  onFigure('cost-top', (plot) => plot.on('plotly_click', (event) => {
    input.value = doc.functions[event.points[0].customdata];
    apply();
    host.scrollIntoView({ block: 'center', behavior: 'instant' });
  }));
}

function functionCell(doc, row) {
  const file = doc.files[doc.file[row]];
  const source = doc.sources.find((item) => item.path === file);
  const place = source
    ? el('a', { href: `#cache/${new URLSearchParams({ source: file })}`, class: 'place', title: file }, shortPath(file))
    : el('span', { class: 'place', title: file }, shortPath(file));
  return el('span', { class: 'function' }, el('span', { class: 'code', title: doc.functions[row] }, doc.names[row]), place);
}

function startSources(doc) {
  const host = document.getElementById('source');
  if (!host || !doc.sources.length) return null;
  const option = (item, index) => el('option', { value: index }, item.path);
  const files = el('select', { id: 'source-file' }, ...doc.sources.map(option));
  const start = doc.events.includes('D1mr') ? ESTIMATE : doc.events[0];
  const choices = [...new Set([doc.ranked_by, ...doc.events, ALL_EVENTS])];
  const events = el('select', { id: 'source-event' }, ...choices.map((name) => el('option', { value: name, selected: name === start }, name)));
  const code = el('div', { class: 'scroll source', tabindex: 0, role: 'region', 'aria-label': 'Annotated source' });
  const note = el('p', { class: 'muted' });
  host.replaceChildren(el('div', { class: 'bar' }, el('label', { for: 'source-file' }, 'File '), files, el('label', { for: 'source-event' }, ' cost '), events), note, code);
  const view = {
    async open(path, line) {
      const index = doc.sources.findIndex((item) => item.path === path);
      if (index < 0) return;
      files.value = String(index);
      await render(line);
      host.scrollIntoView({ block: 'start', behavior: 'instant' });
    },
  };
  const render = async (line = 0) => {
    const item = doc.sources[Number(files.value)];
    const file = await loadPart(item.part);
    const barsOf = events.value === ALL_EVENTS ? doc.ranked_by : events.value;
    const costs = lineCosts(doc, file, barsOf);
    const all = barsOf === doc.ranked_by ? doc.total_cycles : doc.totals[doc.events.indexOf(barsOf)];
    const most = Math.max(0, ...[...costs].map(([line, cost]) => (line ? cost : 0)));
    note.textContent = (item.newer ? '▲ The file was changed after the recording: lines and costs may not fit. ' : '')
      + (most ? `Bars: a line's ${barsOf} beside those of this file's costliest line, which has ${percent(100 * most / all)} of the whole program's.` : `No line of this file has any ${barsOf}.`);
    renderSource(code, file, costs, { event: events.value, all: all || 1, most }, line, doc.events);
  };
  files.addEventListener('change', () => { render(); writeAddress('cache', { source: doc.sources[Number(files.value)].path }); });
  events.addEventListener('change', () => render());
  view.ready = render();
  return view;
}

const ALL_EVENTS = 'all events';
const ESTIMATE = 'estimated cycles';
const SHARE = '% of all';
function lineCosts(doc, file, event) {
  const costs = new Map();
  file.line.forEach((line, i) => {
    let cost = 0;
    doc.events.forEach((name, e) => { cost += file.counts[e][i] * (event === ESTIMATE ? doc.weights[e] : name === event); });
    costs.set(line, cost);
  });
  return costs;
}

// Lines with cost and a few around them; the rest folded, to be opened. `all` is what the
// program cost, `most` this file's costliest line.
function renderSource(host, file, costs, { event, all, most }, target, eventNames) {
  const places = new Map([...file.line].map((line, i) => [line, i]));
  const counted = eventNames.map((_, e) => e).filter((e) => file.counts[e].some((count) => count));
  const figures = event === ALL_EVENTS
    ? (n) => counted.map((e) => el('td', { class: 'number cost' }, places.has(n) && file.counts[e][places.get(n)] ? whole(file.counts[e][places.get(n)]) : ''))
    : (n, cost) => [
      el('td', { class: 'number cost' }, cost ? whole(cost) : ''),
      el('td', { class: 'number share' }, cost ? percent(100 * cost / all) : '')];
  const titles = event === ALL_EVENTS ? counted.map((e) => eventNames[e]) : [event, SHARE];
  const total = [...costs.values()].reduce((a, b) => a + b, 0) || 1;
  // All events are wider than most screens: the code comes first, and stays when they scroll.
  const inOrder = (counts, bar, code) => (event === ALL_EVENTS ? [...code, bar, ...counts] : [...counts, bar, ...code]);
  const near = new Uint8Array(file.lines.length + 2);
  const mark = (line, reach) => { for (let n = Math.max(1, line - reach); n <= Math.min(file.lines.length, line + reach); n++) near[n] = 1; };
  for (const [line, cost] of costs) if (line && cost >= total / 2000) mark(line, 4);
  if (target) mark(target, 6);
  const row = (n) => {
    const cost = costs.get(n);
    const text = file.lines[n - 1] || ' ';
    return el('tr', { id: `line-${n}`, class: n === target ? 'target' : '' }, ...inOrder(
      figures(n, cost),
      el('td', { class: 'heat' }, cost ? el('span', { style: `width:${(100 * cost / most).toFixed(2)}%` }) : null),
      [el('td', { class: 'number line' }, String(n)), el('td', { class: 'code', title: event === ALL_EVENTS ? text.trim() : null }, text)]));
  };
  const body = el('tbody');
  for (let n = 1; n <= file.lines.length;) {
    if (near[n]) { body.append(row(n)); n++; continue; }
    let end = n;
    while (end <= file.lines.length && !near[end]) end++;
    const [first, last] = [n, end - 1];
    const fold = el('tr', { class: 'fold' }, el('td', { colspan: titles.length + 3 }, el('button', {
      type: 'button', class: 'small', onclick: () => fold.replaceWith(...Array.from({ length: last - first + 1 }, (_, i) => row(first + i))),
    }, `⋯ ${whole(last - first + 1)} lines with little or no cost`)));
    body.append(fold);
    n = end;
  }
  const unknown = costs.get(0);
  host.replaceChildren(el('table', { class: event === ALL_EVENTS ? 'annotated all' : 'annotated' },
    el('caption', { class: 'offscreen' }, `${file.path}, cost by line`),
    el('thead', {}, el('tr', {}, ...inOrder(titles.map((title) => el('th', { scope: 'col', class: `number ${title === SHARE ? 'share' : 'cost'}`, title: title === SHARE ? 'Share of what the whole program cost' : EVENT_HELP[title] }, title)),
    el('th', { scope: 'col', title: 'As long as the cost of the line' }, 'bar'),
    [el('th', { scope: 'col', class: 'number line' }, 'line'), el('th', { scope: 'col', class: 'code' }, file.path)]))), body));
  if (unknown) host.append(el('p', { class: 'muted' }, `${whole(unknown)} more have no line number.`));
  const goal = target && host.querySelector(`#line-${target}`);
  if (goal) host.scrollTop = Math.max(0, goal.offsetTop - 120);
}
