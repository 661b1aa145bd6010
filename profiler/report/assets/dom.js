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

const LOCALE = undefined; // the reader's
const wholeFormat = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const percentFormat = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const threeFormat = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });

const whole = (value) => (value === null || Number.isNaN(value) ? '–' : wholeFormat.format(value));
const percent = (value) =>
  (value === null || !Number.isFinite(value) ? '–' : `${percentFormat.format(value)} %`);

function si(value) {
  const size = Math.abs(value);
  for (const [unit, name] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (size >= unit) return `${threeFormat.format(value / unit)} ${name}`;
  }
  return threeFormat.format(value);
}

function bytesText(value) {
  const size = Math.abs(value);
  for (const [unit, name] of [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]) {
    if (size >= unit) return `${(value / unit).toLocaleString(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${name}`;
  }
  return `${whole(value)} B`;
}

function secondsText(value) {
  if (value === null || Number.isNaN(value)) return '–';
  if (value >= 60) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${value.toLocaleString(LOCALE, { maximumFractionDigits: value < 1 ? 3 : 2 })} s`;
}

// Seconds of a column: as many decimals in all its rows.
function fixedSeconds(value, column) {
  if (value === null || Number.isNaN(value)) return '–';
  const digits = column.some((item) => item >= 100) ? 1 : column.some((item) => item >= 10) ? 2 : 3;
  return `${value.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits })} s`;
}

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
