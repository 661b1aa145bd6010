// Plotly figures: drawn when they come near the screen, redrawn when the theme changes, with
// a table behind each. Figures with the same `data-sync` zoom together.

const drawn = new Map(); // element of the plot -> { spec, sync, behind: a zoom it has yet to follow }
const figureListeners = new Map(); // figure id -> called with the plot each time it is drawn
const CONFIG = {
  showSendToCloud: false, // no button that sends the data anywhere
  displaylogo: false,
  responsive: true,
  displayModeBar: 'hover',
  modeBarButtonsToRemove: ['lasso2d', 'select2d', 'autoScale2d', 'toImage'],
  scrollZoom: false,
  doubleClick: 'reset',
};

let printing = false; // paper is white

function themeName() {
  if (printing) return 'light';
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function colour(name) {
  return COLOURS[name][themeName() === 'dark' ? 1 : 0];
}

function themed(value) {
  if (typeof value === 'string') return value[0] === '@' ? colour(value.slice(1)) : value;
  if (Array.isArray(value)) {
    if (value.length > 3 && typeof value[0] === 'number') return value;
    return value.map(themed);
  }
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  const copy = {};
  for (const key of Object.keys(value)) copy[key] = themed(value[key]);
  return copy;
}

const NOTE_LETTER = 7; // pixels, at most, of a letter of a label
const WITH_UNITS = 66; // what Plotly widens the left margin to, at most, for its axis
// Labels with a line to their point, moved so that none leaves the figure.
function notesInside(layout, width) {
  const { annotations: notes, margin } = layout;
  if (!notes || notes.some((note) => !note.showarrow)) return layout;
  const [first, last] = layout.xaxis.range || [0, 0];
  if (!(last > first)) return layout;
  const room = width - Math.max(margin.l, WITH_UNITS) - margin.r;
  const annotations = notes.map((note) => {
    const half = NOTE_LETTER * note.text.length / 2;
    const at = room * (note.x - first) / (last - first);
    return { ...note, ax: Math.max(half, Math.min(room - half, at + note.ax)) - at };
  });
  return { ...layout, annotations };
}

function fitted(layout, width, sync) {
  if (width >= 560) return layout;
  if (sync) { // the margins of all must stay the same
    const name = (text) => text.replace(/ \(\d+\)$/, '');
    const short = (axis) => (axis && axis.ticktext ? { ...axis, tickfont: { size: 11 }, ticktext: axis.ticktext.map(name).map((text) => (text.length > 13 ? `${text.slice(0, 12)}…` : text)) } : axis);
    return { ...layout, margin: { ...layout.margin, l: 90, r: 62 }, yaxis: short(layout.yaxis), xaxis: { ...layout.xaxis, nticks: 5 } };
  }
  const narrow = { ...layout, margin: { ...layout.margin, l: Math.min(layout.margin.l, 40), r: 4 } };
  if (layout.yaxis && layout.yaxis.ticktext) {
    narrow.yaxis = { ...layout.yaxis, ticktext: layout.yaxis.ticktext.map((text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text)) };
  }
  return narrow;
}

// One figure after the other, and what is drawn is seen before the next is begun.
let lastDrawn = Promise.resolve();
function inTurn(work) {
  const done = lastDrawn.then(work);
  lastDrawn = done.catch(() => {}).then(() => new Promise((next) => { setTimeout(next); }));
  return done;
}

async function draw(plot, spec, sync) {
  const Plotly = await loadPlotly();
  const figure = themed(spec);
  figure.layout = notesInside(fitted(figure.layout, plot.clientWidth, sync), plot.clientWidth);
  plot.replaceChildren();
  await Plotly.newPlot(plot, figure.data, figure.layout, CONFIG);
  drawn.set(plot, { spec, sync, behind: zoomed.get(sync) || null });
  plot.dataset.state = 'drawn';
  performance.mark('figure');
  const listener = figureListeners.get(plot.parentNode.id);
  if (listener) listener(plot);
  if (sync) {
    plot.on('plotly_relayout', (change) => zoomTogether(plot, sync, change));
    if (drawn.get(plot).behind) catchUp(plot);
    plot.on('plotly_hover', (event) => pointTogether(plot, sync, event.points[0].data.type === 'heatmap' ? event.xvals[0] : event.points[0].x));
    plot.on('plotly_unhover', () => pointTogether(plot, sync, null));
  }
  return plot;
}

// A zoom redraws the figures on the screen with it, in one frame; the others follow when they
// come there.
const zoomed = new Map(); // name of the sync -> the relayout that the last zoom asked for
const following = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) follow(entry.target);
}, { rootMargin: '100px' });

function catchUp(plot) {
  following.unobserve(plot); // so that the observer tells again where it is
  following.observe(plot);
}

function follow(plot) {
  const about = drawn.get(plot);
  following.unobserve(plot);
  if (!about || !about.behind) return Promise.resolve();
  const update = { ...about.behind };
  about.behind = null;
  about.led = true; // what it tells of this is no zoom of its own
  return window.Plotly.relayout(plot, update).finally(() => { about.led = false; });
}

function zoomTogether(source, sync, change) {
  if (drawn.get(source).led) return;
  const range = change['xaxis.range'] || (change['xaxis.range[0]'] !== undefined
    ? [change['xaxis.range[0]'], change['xaxis.range[1]']] : null);
  if (!range && !change['xaxis.autorange']) return;
  const update = range ? { 'xaxis.range': range } : { 'xaxis.autorange': true };
  zoomed.set(sync, update);
  for (const [plot, about] of drawn) {
    if (plot === source || about.sync !== sync) continue;
    about.behind = update;
    const { top, bottom } = plot.getBoundingClientRect();
    if (bottom > 0 && top < innerHeight) follow(plot);
    else catchUp(plot);
  }
  drawn.get(source).behind = null;
}

const followAll = () => Promise.all([...drawn.keys()].map(follow));

// The moment under the pointer, as a line in the other figures.
function pointTogether(source, sync, moment) {
  for (const [plot, about] of drawn) {
    if (about.sync !== sync) continue;
    let line = plot.querySelector('.moment');
    const { xaxis } = plot._fullLayout;
    const hidden = moment === null || plot === source || moment < xaxis.range[0] || moment > xaxis.range[1];
    if (!line) { line = el('div', { class: 'moment' }); plot.append(line); }
    line.hidden = hidden;
    if (!hidden) line.style.left = `${xaxis._offset + xaxis.d2p(moment)}px`;
  }
}

function onFigure(id, listener) {
  figureListeners.set(id, listener);
  const plot = document.querySelector(`#${id} .plot`);
  if (plot && drawn.has(plot)) listener(plot);
}

const PAPER_PIXELS = 660; // what A4 and Letter have room for inside a figure's frame
const fitPaper = (onPaper) => Promise.all([...drawn.keys()].map((plot) => window.Plotly.relayout(
  plot, onPaper ? { autosize: false, width: PAPER_PIXELS } : { autosize: true, width: null },
)));

async function redrawAll() {
  for (const [plot, { spec, sync }] of [...drawn]) await draw(plot, spec, sync);
}

// No digit that was not kept: shares and clocks come to the page rounded, times as 32 bits.
const DIGITS = { '%': 1, GHz: 2 };
const kept = (unit, column) => (value) => {
  if (DIGITS[unit] !== undefined) return Number(value.toFixed(DIGITS[unit]));
  return column instanceof Float32Array ? Number(value.toPrecision(7)) : value;
};

// A figure's numbers as rows: one row a point, one column a trace (or a heat map's cells).
function figureRows(spec) {
  const { data, layout } = spec;
  const names = (layout.meta && layout.meta.columns) || {};
  const first = data[0] || {};
  if (first.type === 'treemap') {
    return {
      titles: ['name', names.values || 'value', 'note'],
      rows: [...first.labels].map((label, i) => [plain(label), first.values[i], plain(first.text[i])]),
    };
  }
  if (first.type === 'heatmap') {
    const rows = [];
    for (let r = 0; r < first.z.length; r++) {
      const cells = [...first.z[r]].filter((value) => Number.isFinite(value));
      const mean = cells.length ? cells.reduce((a, b) => a + b, 0) / cells.length : NaN;
      rows.push([plain(String(first.y[r])), ...[mean, cells.length ? Math.max(...cells) : NaN].map(kept(names.z))]);
    }
    return { titles: [names.y || 'row', `mean ${names.z || ''}`, `largest ${names.z || ''}`], rows };
  }
  if (first.orientation === 'h') {
    return {
      titles: [names.y || 'name', ...data.map((trace) => trace.name)],
      rows: [...first.y].map((y, i) => [plain(names.labels ? names.labels[i] : String(y)), ...data.map((trace) => trace.x[i])]),
    };
  }
  const series = data.filter((trace) => trace.mode !== 'markers' && trace.name && trace.x && trace.x.length > 2);
  if (!series.length) return { titles: [], rows: [] };
  const columns = series.map((trace) => (trace.customdata && trace.meta === 'percent' ? trace.customdata : trace.y));
  const rows = Array.from(series[0].x, (x, i) => [kept('', series[0].x)(x), ...columns.map((values) => (
    values[i] === undefined || values[i] === null ? NaN : kept(names.y, values)(values[i])))]);
  return { titles: [names.x || 'x', ...series.map((trace) => `${trace.name}${names.y ? ` (${names.y})` : ''}`)], rows };
}

const MARKUP = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '<br>': ' · ' };
const plain = (text) => text.replace(/&lt;|&gt;|&amp;|<br>/g, (found) => MARKUP[found]);

function fillTable(details, spec) {
  if (details.dataset.state) return;
  details.dataset.state = 'filled';
  const { titles, rows } = figureRows(spec);
  const number = (value) => (typeof value === 'number'
    ? (Number.isFinite(value) ? cellFormat.format(value) : '–') : value);
  const caption = details.closest('figure').querySelector('h3').textContent;
  const host = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Table: ${caption}` });
  const table = new SortTable(host, {
    caption,
    columns: titles.map((title, c) => ({ title, numeric: c > 0, value: (r) => rows[r][c], text: (r) => number(rows[r][c]) })),
    count: rows.length,
    page: 100,
  });
  const csv = () => [titles, ...rows].map((row) => row.map((cell) => `"${Number.isNaN(cell) ? '' : String(cell).replaceAll('"', '""')}"`).join(',')).join('\n');
  const copy = el('button', { type: 'button', class: 'small', onclick: () => copyText(csv(), copy) }, 'Copy as CSV');
  details.append(copy, host);
  table.render();
}

function watchFigures() {
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        observer.unobserve(entry.target);
        loadPlotly(); // unpacks beside the figure's own part
        showFigure(entry.target);
      }
    }
  }, { rootMargin: '200px' });
  for (const figure of document.querySelectorAll('figure[data-part]')) {
    observer.observe(figure);
    const details = figure.querySelector('details.table');
    if (details) details.addEventListener('toggle', async () => fillTable(details, (await loadPart(figure.dataset.part)).figures[figure.id]));
  }
}

const figurePromises = new Map(); // figure id -> promise of the drawn plot
function showFigure(figure) {
  if (!figurePromises.has(figure.id)) {
    figurePromises.set(figure.id, (async () => {
      const plot = figure.querySelector('.plot');
      try {
        const { figures } = await loadPart(figure.dataset.part);
        await inTurn(() => draw(plot, figures[figure.id], figure.dataset.sync));
      } catch (error) {
        plot.replaceChildren(el('p', { class: 'empty' }, `This figure cannot be drawn: ${error.message}`));
        plot.dataset.state = 'failed';
        throw error;
      }
      return plot;
    })());
  }
  return figurePromises.get(figure.id);
}
