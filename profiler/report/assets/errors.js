// Memory errors: grouped by kind, filtered, each with its stacks and its source.

async function startErrors() {
  const host = document.getElementById('error-list');
  if (!host) return;
  const doc = await loadPart('errors');
  const { records } = doc;
  const input = document.getElementById('error-filter');
  const module = document.getElementById('error-module');
  const count = document.getElementById('error-count');
  const chips = [...document.querySelectorAll('#error-kinds button')];
  for (const name of [...new Set(records.map((r) => r.module))].sort()) module.append(el('option', { value: name }, name));
  let texts = null; // made when something is searched for
  const text = (i) => {
    texts ||= records.map(({ kind, what, module: name, stack }) => [kind, what, name, ...stackFrames(doc, stack).map((frame) => `${frame[0]} ${frame[1]}`)].join(' ').toLowerCase());
    return texts[i];
  };
  const kindsOn = () => chips.filter((chip) => chip.getAttribute('aria-pressed') === 'true').map((chip) => chip.dataset.kind);
  let page = 40;
  const render = () => {
    const kinds = new Set(kindsOn());
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = records.map((_, i) => i).filter((i) => (!kinds.size || kinds.has(records[i].kind))
      && (!module.value || records[i].module === module.value) && words.every((word) => text(i).includes(word)));
    const order = new Map(chips.map((chip, i) => [chip.dataset.kind, i]));
    shown.sort((a, b) => order.get(records[a].kind) - order.get(records[b].kind)
      || (doc.ordered ? a - b : (records[b].bytes || 0) - (records[a].bytes || 0) || records[b].count - records[a].count || a - b));
    host.replaceChildren();
    let kind = null;
    for (const i of shown.slice(0, page)) {
      if (records[i].kind !== kind) {
        kind = records[i].kind;
        const chip = chips[order.get(kind)];
        host.append(el('h3', { class: `kind ${chip.dataset.severity}` }, `${chip.dataset.sign} ${chip.dataset.title} `, el('span', { class: 'muted' }, chip.title)));
      }
      host.append(errorCard(doc, i));
    }
    if (shown.length > page) host.append(el('button', { type: 'button', class: 'more', onclick: () => { page += 200; render(); } }, `Show more: ${whole(shown.length - page)} of ${whole(shown.length)} are not shown`));
    if (!shown.length) host.append(el('p', { class: 'empty' }, 'No error fits the filter.'));
    count.textContent = `${whole(shown.length)} of ${whole(records.length)} ${records.length === 1 ? 'error' : 'errors'}`;
  };
  const changed = () => {
    page = 40;
    render();
    writeAddress('errors', { kind: kindsOn().join(','), module: module.value, text: input.value });
  };
  chips.forEach((chip) => chip.addEventListener('click', () => { chip.setAttribute('aria-pressed', String(chip.getAttribute('aria-pressed') !== 'true')); changed(); }));
  input.addEventListener('input', changed);
  module.addEventListener('change', changed);
  render();
  const first = host.querySelector('details.error');
  if (first && doc.opened !== false) first.open = true;
  onAddress('errors', (values) => {
    const kinds = new Set((values.get('kind') || '').split(',').filter(Boolean));
    chips.forEach((chip) => chip.setAttribute('aria-pressed', String(kinds.has(chip.dataset.kind))));
    module.value = values.get('module') || '';
    input.value = values.get('text') || '';
    page = 40;
    render();
    const wanted = values.get('record');
    if (wanted !== null && records[Number(wanted)]) {
      let card = document.getElementById(`error-${wanted}`);
      if (!card) { page = records.length; render(); card = document.getElementById(`error-${wanted}`); }
      if (card) { card.open = true; card.scrollIntoView({ block: 'center', behavior: 'instant' }); }
    }
  });
}

function stackFrames(doc, number) {
  const { starts, frames } = doc.stacks;
  return Array.from(frames.subarray(starts[number], starts[number + 1]), (frame) => doc.frames[frame]);
}

const framePlace = ([, path, line, object, address]) => (path ? `${path}${line ? `:${line}` : ''}` : object ? `in ${object}` : address);

function errorCard(doc, index) {
  const record = doc.records[index];
  const own = record.own === undefined ? null : doc.frames[record.own];
  const facts = [record.count > 1 ? `${whole(record.count)} times` : '', record.process ? `process ${record.process}` : '', record.thread || '', record.module === 'unknown' ? '' : record.module].filter(Boolean).join(' · ');
  const card = el('details', { class: 'error', id: `error-${index}` },
    el('summary', {},
      el('span', { class: 'what' }, record.what),
      own ? el('span', { class: 'where code' }, `${own[0] || '???'} · ${shortPlace(own)}`) : null,
      el('span', { class: 'muted' }, facts)));
  card.addEventListener('toggle', () => {
    if (!card.open || card.dataset.state) return;
    card.dataset.state = 'filled';
    card.append(stack(doc, null, record.stack)); // the summary is its title
    for (const [what, number] of record.aux) card.append(stack(doc, what, number));
    card.append(suppression(doc, record));
    const link = el('a', { href: `#errors/record=${index}`, class: 'muted' }, 'link to this error');
    card.append(el('p', {}, link));
  });
  return card;
}

const shortPlace = (frame) => shortPath(framePlace(frame));

function stack(doc, title, number) {
  const list = el('ol', { class: 'stack', start: 0 });
  const frames = stackFrames(doc, number);
  const first = frames.findIndex(([, path, line]) => doc.snippets[path] && line);
  frames.forEach((frame, position) => {
    const item = el('li', {}, el('span', { class: 'code' }, frame[0] || '???'), ' ', el('span', { class: 'place' }, framePlace(frame)));
    const lines = doc.snippets[frame[1]];
    if (lines && frame[2] && lines[frame[2]] !== undefined && position < 3) item.append(snippet(lines, frame[2], position === first));
    list.append(item);
  });
  return el('div', {}, title === null ? null : el('h4', {}, title || 'Stack'), frames.length ? list : el('p', { class: 'muted' }, 'Valgrind gave no stack for this.'));
}

function snippet(lines, target, open) {
  const code = el('pre', { tabindex: 0 });
  for (let n = target - 3; n <= target + 3; n++) {
    if (lines[n] === undefined) continue;
    code.append(el('span', { class: n === target ? 'target' : '' }, `${String(n).padStart(6)}  ${lines[n]}\n`));
  }
  return el('details', { class: 'snippet', open }, el('summary', {}, 'source'), code);
}

function suppression(doc, record) {
  if (record.suppression === undefined) return el('p', { class: 'muted' }, 'No suppression text: it is recorded with --tool-arg memcheck=--gen-suppressions=all.');
  const text = doc.suppressions[record.suppression];
  const button = el('button', { type: 'button', class: 'small', onclick: () => copyText(text, button) }, 'Copy');
  return el('details', { class: 'suppression' }, el('summary', {}, 'Suppression, if this is no fault of yours'), button, el('pre', { tabindex: 0 }, text));
}
