// Heap: click a snapshot in the timeline, see its allocation tree; compare it with another.

class HeapView {
  constructor(host, number) {
    this.host = host;
    this.number = number;
    this.part = `heap-${number}`;
    this.against = null;
  }

  async start() {
    const overview = this.overview = await loadPart(this.part);
    this.indices = overview.snapshots.filter((s) => overview.trees[s[0]]).map((s) => s[0]);
    if (!this.indices.length) {
      this.host.replaceChildren(el('p', { class: 'empty' }, 'No snapshot has an allocation tree: Massif took none in detail (with --detailed-freq=1 it takes all).'));
      return;
    }
    const option = (index) => el('option', { value: index }, this.title(index));
    this.select = el('select', { id: `${this.part}-snapshot`, onchange: () => this.show(Number(this.select.value)) }, ...this.indices.map(option));
    this.compare = el('select', { id: `${this.part}-compare`, onchange: () => { this.against = this.compare.value === '' ? null : Number(this.compare.value); this.show(this.index); } },
      el('option', { value: '' }, 'nothing'), ...this.indices.map(option));
    this.reading = el('select', { id: `${this.part}-reading`, onchange: () => this.show(this.index) },
      el('option', { value: '' }, 'the allocation, callers below'), el('option', { value: 'main' }, 'main, callees below'));
    const step = (by) => () => { const place = this.indices.indexOf(this.index) + by; if (this.indices[place] !== undefined) this.show(this.indices[place]); };
    this.flameHost = el('div', { class: 'flame' });
    this.tableHost = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Allocating functions of the snapshot' });
    this.heading = el('h4', { class: 'snapshot-title' });
    const filter = el('input', { type: 'search', placeholder: 'Filter functions', 'aria-label': 'Filter allocating functions', oninput: () => wordFilter(filter, this.words, this.table) });
    this.filter = filter;
    this.libraries = el('input', { type: 'checkbox', id: `${this.part}-libraries`, onchange: () => this.show(this.index) });
    this.host.replaceChildren(
      el('div', { class: 'bar' },
        el('label', { for: this.select.id }, 'Snapshot '), this.select,
        el('button', { type: 'button', class: 'small', 'aria-label': 'Previous snapshot with a tree', onclick: step(-1) }, '◀'),
        el('button', { type: 'button', class: 'small', 'aria-label': 'Next snapshot with a tree', onclick: step(1) }, '▶'),
        el('label', { for: this.compare.id }, ' compared with '), this.compare,
        el('label', { for: this.reading.id }, ' from '), this.reading,
        el('span', { class: 'together' }, this.libraries, el('label', { for: this.libraries.id }, 'library code too'))),
      this.heading, this.flameHost,
      el('h4', {}, 'Which functions hold the memory?'), el('div', { class: 'bar' }, filter), this.tableHost,
    );
    this.flame = new Flame(this.flameHost, {
      name: 'Allocation tree',
      pale: (node) => overview.library[this.tree.point[node]],
      label: (node) => (node === 0 ? 'all of the useful heap' : overview.labels[this.tree.point[node]]),
      describe: (node, search) => this.describe(node, search),
    });
    onFigure(`${this.part}-timeline`, (plot) => plot.on('plotly_click', (event) => this.clicked(event)));
    await this.show(overview.first);
  }

  clicked(event) {
    const point = event.points.find((p) => p.customdata !== undefined) || event.points[0];
    const wanted = point.customdata !== undefined ? point.customdata : this.overview.snapshots[point.pointIndex][0];
    const nearest = this.indices.reduce((best, index) => (Math.abs(index - wanted) < Math.abs(best - wanted) ? index : best));
    this.show(nearest);
  }

  title(index) {
    const s = this.overview.snapshots.find((row) => row[0] === index);
    const mark = index === this.overview.peak ? ' (peak)' : index === this.overview.marked ? ' (marked as peak)' : '';
    return `${index}: ${bytesText(s[2] + s[3] + s[4])}${mark}`;
  }

  describe(node, search) {
    const { full, places, labels } = this.overview;
    const point = this.tree.point[node];
    if (search) return `${full[point]} ${places[point]}`;
    const bytes = this.tree.bytes[node];
    const lines = [full[point]];
    if (places[point]) lines.push(places[point]);
    lines.push(`${bytesText(bytes)} (${whole(bytes)} B), ${percent(100 * bytes / (this.tree.bytes[0] || 1))} of the snapshot's useful heap`);
    if (this.tree.delta) lines.push(`${signed(this.tree.delta[node])} against snapshot ${this.against}`);
    return lines.join(' · ') || labels[point];
  }

  async show(index) {
    this.index = index;
    this.select.value = String(index);
    const tree = await loadPart(this.overview.trees[index]);
    const other = this.against === null ? null : await loadPart(this.overview.trees[this.against]);
    if (index !== this.index) return; // overtaken by a later choice
    const laid = (now, before) => (before ? mergedTree(now, before) : now);
    const fromMain = this.reading.value === 'main';
    const { library } = this.overview;
    const read = (source) => {
      const turned = fromMain ? fromRoots(source) : source;
      return this.libraries.checked ? turned : withoutLibraries(turned, library);
    };
    this.sums = laid(tree, other);
    this.tree = laid(read(tree), other && read(other));
    this.flame.show(this.tree);
    const left = tree.left_out ? ` ${whole(tree.left_out)} smaller nodes of this tree are not in the page.` : '';
    this.heading.textContent = (other
      ? `Snapshot ${index} against ${this.against}: orange grew, green shrank.`
      : `Snapshot ${this.title(index)}: who allocated it. ${fromMain ? 'Callees' : 'Callers'} are below${this.libraries.checked ? ", the program's own code is blue" : ''}.`) + left;
    this.renderTable();
    this.host.dataset.snapshot = String(index);
    if (this.started) writeAddress('heap', { process: this.number || null, snapshot: index, compare: this.against, from: this.reading.value });
    this.started = true;
  }

  renderTable() {
    const { full, places, library } = this.overview;
    const all = functionSums(this.sums, library);
    const own = all.filter((row) => !library[row.point]);
    const rows = this.libraries.checked || !own.length ? all : own;
    const total = this.sums.bytes[0] || 1;
    const columns = [
      { title: 'Function', value: (r) => full[rows[r].point], text: (r) => full[rows[r].point] },
      { title: 'Asked for', numeric: true, help: 'Bytes that this function asked for, itself or through library code such as std::vector', value: (r) => rows[r].asked, text: (r) => bytesText(rows[r].asked) },
      { title: 'With callees', numeric: true, help: 'Bytes asked for by this function and by all that it called', value: (r) => rows[r].all, text: (r) => bytesText(rows[r].all) },
      { title: '% of snapshot', numeric: true, value: (r) => rows[r].all, text: (r) => percent(100 * rows[r].all / total) },
      { title: 'Where', value: (r) => places[rows[r].point], text: (r) => places[rows[r].point] },
    ];
    if (this.sums.delta) columns.splice(3, 0, { title: 'Change', numeric: true, help: `Against snapshot ${this.against}`, value: (r) => rows[r].delta, text: (r) => signed(rows[r].delta) });
    this.words = { list: rows.map((row) => `${full[row.point]} ${places[row.point]}`) };
    this.table = new SortTable(this.tableHost, { caption: 'Functions by the memory they hold', columns, count: rows.length, page: 25, sort: { column: this.sums.delta ? 3 : 1, down: true } });
    wordFilter(this.filter, this.words, this.table);
  }
}

const signed = (bytes) => `${bytes > 0 ? '+' : bytes < 0 ? '−' : '±'}${bytesText(Math.abs(bytes))}`;

// Bytes by function: the outermost of a recursion counts once in "with callees".
// "asked" is what a function's own library calls (vector, string, new) asked for: the
// innermost frame of the program's own code on each path stands for it.
function functionSums(tree, library) {
  const sums = new Map();
  const path = [];
  const owned = [false]; // whether a frame of the program is already on the path
  for (let i = 0; i < tree.depth.length; i++) {
    const depth = tree.depth[i];
    if (!depth) continue;
    path.length = depth;
    const point = tree.point[i];
    if (!sums.has(point)) sums.set(point, { point, asked: 0, all: 0, delta: 0 });
    const sum = sums.get(point);
    if (!path.includes(point)) { sum.all += tree.bytes[i]; if (tree.delta) sum.delta += tree.delta[i]; }
    path[depth] = point;
    owned[depth] = owned[depth - 1] || !library[point];
    if (!library[point] && !owned[depth - 1]) sum.asked += tree.bytes[i];
  }
  return [...sums.values()];
}

// The same tree read from the outermost callers: what a node holds itself, and not through a
// caller that is listed below it, is laid along its path the other way round.
function fromRoots(tree) {
  const count = tree.depth.length;
  const own = Float64Array.from(tree.bytes);
  const path = [];
  const root = { point: tree.point[0], bytes: 0, children: new Map() };
  for (let i = 0; i < count; i++) {
    path[tree.depth[i]] = i;
    if (tree.depth[i]) own[path[tree.depth[i] - 1]] -= tree.bytes[i];
  }
  for (let i = 0; i < count; i++) {
    path[tree.depth[i]] = i;
    if (own[i] <= 0) continue;
    let node = root;
    node.bytes += own[i];
    for (let depth = tree.depth[i]; depth > 0; depth--) {
      const point = tree.point[path[depth]];
      if (!node.children.has(point)) node.children.set(point, { point, bytes: 0, children: new Map() });
      node = node.children.get(point);
      node.bytes += own[i];
    }
  }
  return flatTree(root);
}

function flatTree(root) {
  const flat = { depth: [], bytes: [], point: [] };
  const lay = (node, depth) => {
    flat.depth.push(depth);
    flat.bytes.push(node.bytes);
    flat.point.push(node.point);
    for (const child of [...node.children.values()].sort((a, b) => b.bytes - a.bytes)) lay(child, depth + 1);
  };
  lay(root, 0);
  return flat;
}

function grownTree(source) {
  const root = { point: source.point[0], bytes: 0, children: new Map() };
  const stack = [];
  for (let i = 0; i < source.depth.length; i++) {
    const depth = source.depth[i];
    let node = root;
    if (depth) {
      const { children } = stack[depth - 1];
      const point = source.point[i];
      node = children.get(point);
      if (!node) { node = { point, bytes: 0, children: new Map() }; children.set(point, node); }
    }
    node.bytes += source.bytes[i];
    stack[depth] = node;
  }
  return root;
}

// The tree of the program's own code: library frames (vector, string, new, threads) make room
// for the code around them. They stay on a path that has none of the program's at all.
function withoutLibraries(source, library) {
  const add = (into, node) => {
    const known = into.get(node.point);
    if (!known) { into.set(node.point, node); return; }
    known.bytes += node.bytes;
    for (const child of node.children.values()) add(known.children, child);
  };
  const fold = (node, below) => { // `below`: below the program's own code
    const children = new Map();
    const owned = below || !library[node.point];
    let own = !library[node.point];
    for (const child of node.children.values()) {
      const inner = fold(child, owned);
      own = own || inner;
      if (!library[child.point]) add(children, child);
      else if (inner) for (const grandchild of child.children.values()) add(children, grandchild);
      else if (!owned) add(children, child);
    }
    node.children = children;
    return own;
  };
  const root = grownTree(source);
  fold(root, false);
  return flatTree(root);
}

// The nodes of two trees by path; widths are the larger of both, so that what is gone shows.
function mergedTree(tree, base) {
  const merged = { depth: [], bytes: [], point: [], delta: [], width: [] };
  const place = (now, before, depth) => {
    const own = merged.depth.length;
    const bytes = now ? now.bytes : 0;
    merged.depth.push(depth);
    merged.bytes.push(bytes);
    merged.point.push((now || before).point);
    merged.delta.push(bytes - (before ? before.bytes : 0));
    merged.width.push(0);
    const points = new Set([...(now ? now.children.keys() : []), ...(before ? before.children.keys() : [])]);
    let inner = 0;
    const pairs = [...points].map((point) => [now && now.children.get(point), before && before.children.get(point)]);
    const larger = ([a, b]) => Math.max(a ? a.bytes : 0, b ? b.bytes : 0);
    pairs.sort((a, b) => larger(b) - larger(a));
    for (const [a, b] of pairs) inner += place(a, b, depth + 1);
    merged.width[own] = Math.max(bytes, before ? before.bytes : 0, inner);
    return merged.width[own];
  };
  place(grownTree(tree), grownTree(base), 0);
  return merged;
}

const heapViews = [];
function startHeap() {
  for (const host of document.querySelectorAll('[data-heap]')) {
    const view = new HeapView(host, Number(host.dataset.heap));
    heapViews.push(view);
    view.ready = view.start();
  }
  const all = Promise.all(heapViews.map((view) => view.ready));
  onAddress('heap', async (values) => {
    const view = heapViews[Number(values.get('process') || 0)];
    if (!view) return;
    await view.ready;
    const compare = values.get('compare');
    if (compare !== null && view.overview.trees[compare]) { view.against = Number(compare); view.compare.value = compare; }
    view.reading.value = values.get('from') === 'main' ? 'main' : '';
    const snapshot = values.get('snapshot');
    if (snapshot !== null && view.overview.trees[snapshot]) await view.show(Number(snapshot));
  });
  return all;
}
