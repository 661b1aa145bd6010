// Threads: all of them in a table.

async function startScheduling() {
  const host = document.getElementById('threads');
  if (!host) return;
  const { threads } = await loadPart('scheduling');
  const { names, run, wait, waiting, voluntary, involuntary, cpu } = threads;
  const share = (r) => waiting[r] ?? NaN;
  const numeric = (title, help, values, text) => ({ title, help, numeric: true, value: (r) => values[r], text: (r) => text(values[r]) });
  const table = new SortTable(host, {
    caption: 'Threads',
    page: 20,
    count: names.length,
    sort: { column: 2, down: true },
    columns: [
      { title: 'Thread', value: (r) => names[r], text: (r) => names[r] },
      numeric('Running', 'Time on a CPU while it was watched', run, (value) => fixedSeconds(value, run)),
      numeric('Waiting', 'Time runnable, waiting for a CPU', wait, (value) => fixedSeconds(value, wait)),
      { title: 'Waiting %', help: 'Of the time that it wanted to run', numeric: true, value: share, text: (r) => percent(share(r)) },
      numeric('Voluntary', 'Switches because it slept or blocked', voluntary, whole),
      numeric('Involuntary', 'Switches because another task was to run', involuntary, whole),
      numeric('Last CPU', 'The CPU that it ran on last', cpu, whole),
    ],
  });
  table.render();
  const input = document.getElementById('thread-filter');
  const words = { list: [...names] };
  input.addEventListener('input', () => { wordFilter(input, words, table); writeAddress('scheduling', { thread: input.value }); });
  onAddress('scheduling', (values) => {
    if (values.has('thread')) { input.value = values.get('thread'); wordFilter(input, words, table); }
  });
}
