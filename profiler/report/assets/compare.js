// The comparison of two sessions: the difference of two allocation trees, functions by change.

async function startComparison() {
  const flameHost = document.getElementById('heap-compare');
  if (flameHost) await startHeapComparison(flameHost);
  const host = document.getElementById('function-changes');
  if (host) await startFunctionChanges(host);
}

async function startHeapComparison(host) {
  const doc = await loadPart('heap-compare');
  const sums = mergedTree(doc.now, doc.baseline);
  const tree = mergedTree(withoutLibraries(doc.now, doc.library), withoutLibraries(doc.baseline, doc.library));
  const flame = new Flame(host, {
    name: 'Allocation trees, compared',
    label: (node) => (node === 0 ? 'all of the useful heap' : doc.labels[tree.point[node]]),
    describe: (node, search) => {
      const point = tree.point[node];
      if (search) return `${doc.full[point]} ${doc.places[point]}`;
      return [doc.full[point], doc.places[point], `${bytesText(tree.bytes[node])}, ${signed(tree.delta[node])} against the baseline`].filter(Boolean).join(' · ');
    },
  });
  flame.show(tree);
  heapViews.push({ flame });
  const rows = functionSums(sums, doc.library).filter((row) => row.delta);
  const table = new SortTable(document.getElementById('heap-compare-table'), {
    caption: 'Functions by change of memory',
    none: 'No function holds more or less memory than in the baseline.',
    page: 25,
    count: rows.length,
    sort: { column: 1, down: true },
    columns: [
      { title: 'Function', value: (r) => doc.full[rows[r].point], text: (r) => doc.full[rows[r].point] },
      { title: 'Change', numeric: true, help: 'With what it called', value: (r) => rows[r].delta, text: (r) => signed(rows[r].delta) },
      { title: 'Now', numeric: true, value: (r) => rows[r].all, text: (r) => bytesText(rows[r].all) },
      { title: 'Where', value: (r) => doc.places[rows[r].point], text: (r) => doc.places[rows[r].point] },
    ],
  });
  table.render();
}

async function startFunctionChanges(host) {
  const doc = await loadPart('cost-compare');
  const delta = (pair, r) => pair[1][r] - pair[0][r];
  const change = (value) => `${value > 0 ? '+' : value < 0 ? '−' : '±'}${whole(Math.abs(value))}`;
  const cell = (r) => el('span', { class: 'function' }, el('span', { class: 'code', title: doc.functions[r] }, doc.names[r]), el('span', { class: 'place', title: doc.files[r] }, shortPath(doc.files[r])), doc.notes[r] ? el('span', { class: 'note' }, doc.notes[r]) : null);
  const columns = [
    { title: 'Function', value: (r) => doc.names[r], cell },
    { title: 'Change of cycles', numeric: true, help: 'Estimated cycles, this session minus the baseline', value: (r) => delta(doc.cycles, r), text: (r) => change(delta(doc.cycles, r)) },
    { title: 'Without inlining', numeric: true, help: 'The change without what only moved from one function into another', value: (r) => doc.own[r], text: (r) => change(doc.own[r]) },
    { title: 'Baseline', numeric: true, value: (r) => doc.cycles[0][r], text: (r) => whole(doc.cycles[0][r]) },
    { title: 'Now', numeric: true, value: (r) => doc.cycles[1][r], text: (r) => whole(doc.cycles[1][r]) },
  ];
  if (doc.instructions) columns.push({ title: 'Change of Ir', numeric: true, value: (r) => delta(doc.instructions, r), text: (r) => change(delta(doc.instructions, r)) });
  if (doc.misses) columns.push({ title: 'Change of D1 misses', numeric: true, value: (r) => delta(doc.misses, r), text: (r) => change(delta(doc.misses, r)) });
  const table = new SortTable(host, { caption: 'Functions by change', columns, count: doc.functions.length, page: 40 });
  table.render();
  const input = document.getElementById('change-filter');
  const words = { list: doc.functions.map((name, i) => `${name} ${doc.files[i]} ${doc.notes[i]}`) };
  input.addEventListener('input', () => { wordFilter(input, words, table); writeAddress('cache', { function: input.value }); });
  onAddress('cache', (values) => { if (values.has('function')) { input.value = values.get('function'); wordFilter(input, words, table); } });
}
