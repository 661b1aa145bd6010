// A flame graph on a canvas (root on top): tens of thousands of nodes, zoomed and searched by
// mouse or keyboard. Plotly's own icicle takes 13 s for 3,000 nodes.

const ROW = 20;

class Flame {
  // tree: { depth, bytes, point } in depth-first order; `delta` (bytes) colours by change.
  constructor(host, { describe, label, name, pale = null }) {
    this.describe = describe; // (node) -> text for the tooltip and for screen readers
    this.label = label; // (node) -> text in the box
    this.pale = pale; // (node) -> whether it is a library's, not the program's own
    this.query = '';
    this.search = el('input', { type: 'search', placeholder: 'Search function or file', 'aria-label': `Search in ${name}`, oninput: () => { this.query = this.search.value.toLowerCase(); this.match(); this.paint(); } });
    this.found = el('span', { class: 'muted', 'aria-live': 'polite' });
    this.reset = el('button', { type: 'button', class: 'small', onclick: () => this.zoom(0) }, 'Reset zoom');
    this.canvas = el('canvas', { tabindex: 0, role: 'application', 'aria-roledescription': 'flame graph', 'aria-label': `${name}. Arrow keys move, Enter zooms in, Escape zooms out.` });
    this.tip = el('div', { class: 'tip', hidden: true });
    this.detail = el('p', { class: 'detail', 'aria-live': 'polite' });
    this.box = el('div', { class: 'flame-box' }, this.canvas, this.tip);
    host.replaceChildren(el('div', { class: 'bar' }, this.search, this.reset, this.found), this.box, this.detail);
    this.canvas.addEventListener('mousemove', (event) => this.hover(event));
    this.canvas.addEventListener('mouseleave', () => { this.tip.hidden = true; });
    this.canvas.addEventListener('click', (event) => { const node = this.at(event); if (node >= 0) { this.focus = node; this.zoom(node); } });
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('focus', () => this.paint());
    this.canvas.addEventListener('blur', () => this.paint());
    new ResizeObserver(() => this.paint()).observe(this.box);
  }

  show(tree) {
    this.tree = tree;
    const count = tree.depth.length;
    this.start = new Float64Array(count);
    this.size = tree.width || tree.bytes;
    this.parent = new Int32Array(count).fill(-1);
    const stack = [];
    const cursor = [];
    this.deepest = 0;
    for (let i = 0; i < count; i++) {
      const depth = tree.depth[i];
      if (depth > this.deepest) this.deepest = depth;
      stack.length = depth;
      const parent = depth ? stack[depth - 1] : -1;
      this.parent[i] = parent;
      this.start[i] = parent < 0 ? 0 : cursor[depth - 1];
      if (parent >= 0) cursor[depth - 1] += this.size[i];
      stack[depth] = i;
      cursor[depth] = this.start[i];
    }
    this.focus = 0;
    this.match();
    this.zoom(0);
  }

  match() {
    if (!this.tree) return;
    const count = this.tree.depth.length;
    this.hits = null;
    this.found.textContent = '';
    if (!this.query) return;
    const byPoint = new Map();
    this.hits = new Uint8Array(count);
    let bytes = 0;
    let insideDepth = Infinity; // bytes below a hit are counted once
    for (let i = 0; i < count; i++) {
      const depth = this.tree.depth[i];
      if (depth <= insideDepth) insideDepth = Infinity;
      const point = this.tree.point[i];
      if (!byPoint.has(point)) byPoint.set(point, this.describe(i, true).toLowerCase().includes(this.query));
      if (byPoint.get(point)) {
        this.hits[i] = 1;
        if (insideDepth === Infinity) { bytes += this.size[i]; insideDepth = depth; }
      }
    }
    const hits = this.hits.reduce((sum, hit) => sum + hit, 0);
    this.found.textContent = `${whole(hits)} boxes, ${percent(100 * bytes / (this.size[0] || 1))}`;
  }

  zoom(node) {
    this.root = node;
    this.reset.disabled = node === 0;
    this.focus = node;
    this.say();
    this.paint();
  }

  say() {
    this.detail.textContent = this.describe(this.focus, false);
  }

  // Calls back for every box that is at least half a pixel wide, ancestors of the root first.
  eachBox(width, call) {
    const { depth } = this.tree;
    const total = this.size[this.root] || 1;
    const scale = width / total;
    const origin = this.start[this.root];
    for (let node = this.parent[this.root]; node >= 0; node = this.parent[node]) call(node, 0, width, depth[node]);
    const base = depth[this.root];
    const count = depth.length;
    for (let i = this.root; i < count && (i === this.root || depth[i] > base);) {
      const boxWidth = this.size[i] * scale;
      if (boxWidth < 0.5) { // too narrow: so is everything below it
        const level = depth[i];
        i++;
        while (i < count && depth[i] > level) i++;
        continue;
      }
      call(i, (this.start[i] - origin) * scale, boxWidth, depth[i]);
      i++;
    }
  }

  paint() {
    if (!this.tree) return;
    if (!this.box.clientWidth) return;
    const width = printing ? PAPER_PIXELS : this.box.clientWidth; // or its words would shrink with it
    let lowest = 0; // no taller than what is drawn
    this.eachBox(width, (node, x, boxWidth, depth) => { if (depth > lowest) lowest = depth; });
    const height = (lowest + 1) * ROW;
    const ratio = printing ? 2 : window.devicePixelRatio || 1;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const draw = this.canvas.getContext('2d');
    draw.scale(ratio, ratio);
    draw.font = '12px system-ui, sans-serif';
    draw.textBaseline = 'middle';
    const dark = themeName() === 'dark';
    const inverse = dark ? '#0B0D10' : '#FFFFFF';
    const ink = colour('text');
    this.boxes = 0;
    this.eachBox(width, (node, x, boxWidth, depth) => {
      this.boxes++;
      const y = depth * ROW;
      const [fill, strong] = this.fill(node, dark);
      draw.fillStyle = fill;
      draw.fillRect(x, y, Math.max(boxWidth - (boxWidth > 3 ? 1 : 0), 0.5), ROW - 1);
      if (boxWidth > 28) {
        const text = clipText(draw, this.label(node), boxWidth - 8);
        draw.fillStyle = strong ? inverse : ink;
        if (text) draw.fillText(text, x + 4, y + ROW / 2);
      }
      if (node === this.focus && document.activeElement === this.canvas) {
        draw.strokeStyle = ink;
        draw.lineWidth = 2;
        draw.strokeRect(x + 1, y + 1, Math.max(boxWidth - 3, 1), ROW - 3);
      }
    });
  }

  fill(node, dark) {
    if (this.hits) return this.hits[node] ? [colour('waiting'), true] : [colour('idle'), false];
    if (this.tree.delta) {
      const delta = this.tree.delta[node];
      if (!delta) return [colour('idle'), false];
      const share = Math.min(1, Math.abs(delta) / (this.size[node] || 1));
      const [r, g, b] = (delta > 0 ? (dark ? [255, 138, 61] : [213, 94, 0]) : (dark ? [47, 203, 151] : [0, 158, 115]));
      const back = dark ? [58, 58, 58] : [217, 217, 217];
      const mix = (to, from) => Math.round(from + (to - from) * (0.35 + 0.65 * share));
      return [`rgb(${mix(r, back[0])},${mix(g, back[1])},${mix(b, back[2])})`, share > 0.6];
    }
    if (node === 0) return [colour('idle'), false];
    // One hue; neighbours differ in lightness by a hash of what they are.
    const shade = ((this.tree.point[node] * 2654435761) >>> 0) % 5;
    if (this.pale && this.pale(node)) return [dark ? `hsl(210 12% ${22 + shade * 2}%)` : `hsl(210 18% ${93 - shade * 2}%)`, false];
    return [dark ? `hsl(${204 + shade * 4} 52% ${26 + shade * 4}%)` : `hsl(${204 + shade * 4} 62% ${86 - shade * 5}%)`, false];
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const row = Math.floor((event.clientY - box.top) / ROW);
    let found = -1;
    this.eachBox(box.width, (node, left, boxWidth, depth) => { if (depth === row && x >= left && x < left + boxWidth) found = node; });
    return found;
  }

  hover(event) {
    const node = this.tree ? this.at(event) : -1;
    this.tip.hidden = node < 0;
    if (node < 0) return;
    this.tip.textContent = this.describe(node, false);
    const box = this.box.getBoundingClientRect();
    const left = Math.min(event.clientX - box.left + 12, box.width - this.tip.offsetWidth - 4);
    this.tip.style.left = `${Math.max(0, left)}px`;
    this.tip.style.top = `${event.clientY - box.top + 16}px`;
  }

  key(event) {
    const { depth } = this.tree;
    const count = depth.length;
    let node = this.focus;
    if (event.key === 'ArrowUp') node = Math.max(this.parent[node], 0);
    else if (event.key === 'ArrowDown') { if (node + 1 < count && depth[node + 1] === depth[node] + 1) node += 1; }
    else if (event.key === 'ArrowRight') {
      let next = node + 1;
      while (next < count && depth[next] > depth[node]) next++;
      if (next < count && depth[next] === depth[node]) node = next;
    } else if (event.key === 'ArrowLeft') {
      let before = node - 1;
      while (before >= 0 && depth[before] > depth[node]) before--;
      if (before >= 0 && depth[before] === depth[node]) node = before;
    } else if (event.key === 'Enter' || event.key === ' ') { this.zoom(node); event.preventDefault(); return; }
    else if (event.key === 'Escape' || event.key === 'Home') { this.zoom(0); return; }
    else return;
    event.preventDefault();
    this.focus = node;
    if (node < this.root) this.root = Math.max(this.parent[node], 0) === node ? node : Math.min(this.root, node);
    this.say();
    this.paint();
  }
}

function clipText(draw, text, width) {
  if (draw.measureText(text).width <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (draw.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle; else high = middle - 1;
  }
  return low > 1 ? `${text.slice(0, low)}…` : '';
}
