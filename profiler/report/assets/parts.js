// Parts of the page: compressed text in script elements that no browser runs, unpacked
// when first asked for. Their layout is described in profiler/report/pack.py.

const partPromises = new Map();
const ARRAYS = {
  i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array,
  i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
};

async function inflate(text, format) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Response(stream).arrayBuffer();
}

// A column's numbers, whose bytes lie apart: all first ones, all second ones, ...
function column(bytes, type, length) {
  const numbers = new ARRAYS[type](length);
  const flat = new Uint8Array(numbers.buffer);
  const width = numbers.BYTES_PER_ELEMENT;
  for (let byte = 0, from = 0; byte < width; byte++) {
    for (let to = byte; to < flat.length; to += width) flat[to] = bytes[from++];
  }
  return numbers;
}

function revive(value, columns, seen) {
  if (Array.isArray(value)) {
    // Lists of numbers and of texts hold no columns: do not walk their thousands of items.
    if (value.length && (typeof value[0] !== 'object' || value[0] === null)) return value;
    return value.map((part) => revive(part, columns, seen));
  }
  if (value === null || typeof value !== 'object') return value;
  if (value.$) {
    const [type, offset, length] = value.$;
    const key = `${type} ${offset} ${length}`;
    if (!seen.has(key)) seen.set(key, column(columns.subarray(offset), type, length));
    return seen.get(key);
  }
  for (const key of Object.keys(value)) value[key] = revive(value[key], columns, seen);
  return value;
}

async function unpackPart(name) {
  const holder = document.getElementById(`part-${name}`);
  if (!holder) throw new Error(`the page has no part ${name}`);
  const buffer = await inflate(holder.textContent.trim(), 'deflate');
  const size = new DataView(buffer).getUint32(0, true);
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  return revive(json, new Uint8Array(buffer, 4 + size), new Map());
}

function loadPart(name) {
  if (!partPromises.has(name)) partPromises.set(name, unpackPart(name));
  return partPromises.get(name);
}

// The library comes as a part too, or as a file beside the page. A script element whose text
// has the hash that the page's policy names may run; nothing else may.
let libraryPromise = null;

function loadPlotly() {
  if (!libraryPromise) {
    libraryPromise = (async () => {
      const holder = document.getElementById('plotly-library');
      const script = document.createElement('script');
      if (holder.dataset.src) {
        await new Promise((done, failed) => {
          script.onload = done;
          script.onerror = () => failed(new Error(`cannot load ${holder.dataset.src}`));
          script.src = holder.dataset.src;
          document.head.append(script);
        });
      } else {
        script.textContent = new TextDecoder().decode(await inflate(holder.textContent.trim(), 'gzip'));
        document.head.append(script);
      }
      if (!window.Plotly) throw new Error('the chart library did not start');
      return window.Plotly;
    })();
  }
  return libraryPromise;
}
