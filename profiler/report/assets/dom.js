// Elements, numbers and words. Text from tools only ever becomes text nodes.

function el(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (key === 'style') element.style.cssText = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Figures are written as findings and Plotly's axes write them, since 1.234 and 1,234 must not
// mean the same on one page; times are the reader's (main.js).
const decimals = (least, most = least) => new Intl.NumberFormat('en-US', { minimumFractionDigits: least, maximumFractionDigits: most });
const FIXED = [0, 1, 2, 3].map((digits) => decimals(digits));
const wholeFormat = FIXED[0];
const percentFormat = FIXED[1];
const cellFormat = decimals(0, 3); // of a figure's table

const whole = (value) => (value === null || Number.isNaN(value) ? '–' : wholeFormat.format(value));
const percent = (value) =>
  (value === null || !Number.isFinite(value) ? '–' : `${percentFormat.format(value)} %`);

function bytesText(value) {
  const bytes = Math.abs(value);
  for (const [unit, name] of [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]) {
    const count = bytes / unit;
    if (count >= 1) return `${FIXED[count >= 100 ? 0 : count >= 10 ? 1 : 2].format(value / unit)} ${name}`;
  }
  return `${whole(value)} B`;
}

// Seconds of a column: as many decimals in all its rows.
function fixedSeconds(value, column) {
  if (value === null || Number.isNaN(value)) return '–';
  const digits = column.some((item) => item >= 100) ? 1 : column.some((item) => item >= 10) ? 2 : 3;
  return `${FIXED[digits].format(value)} s`;
}

// A file with its folder: what tells files apart where there is little room.
const shortPath = (path) => path.split('/').slice(-2).join('/');

function announce(text) {
  document.getElementById('announce').textContent = text;
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch (refused) { // a page opened from a file may not have the clipboard interface
    const area = el('textarea', { class: 'offscreen' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  const label = button.textContent;
  button.textContent = 'Copied';
  announce('Copied');
  setTimeout(() => { button.textContent = label; }, 1200);
}

// The address names what is looked at: #section/key=value&key=value
function readAddress() {
  const [section, rest = ''] = location.hash.slice(1).split(/\/(.*)/s);
  return { section: section || 'overview', values: new URLSearchParams(rest) };
}

function writeAddress(section, values) {
  const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== '')).toString();
  history.replaceState(null, '', `#${section}${text ? `/${text}` : ''}`);
}

const addressListeners = new Map();
function onAddress(section, listener) { addressListeners.set(section, listener); }

function followAddress() {
  const { section, values } = readAddress();
  const target = document.getElementById(section);
  if (!target) return;
  if (location.hash) target.scrollIntoView({ block: 'start', behavior: 'instant' });
  const listener = addressListeners.get(section);
  if (listener && [...values].length) listener(values);
}
