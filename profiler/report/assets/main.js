// Starts the page.

function startTheme() {
  const button = document.getElementById('theme');
  const remembered = (() => { try { return localStorage.getItem('droidgrind-theme'); } catch (refused) { return null; } })();
  if (remembered === 'light' || remembered === 'dark') document.documentElement.dataset.theme = remembered;
  const label = () => { button.textContent = themeName() === 'dark' ? '☀ Light' : '☾ Dark'; };
  label();
  const changed = () => { label(); return recolour(); };
  button.addEventListener('click', () => {
    const next = themeName() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem('droidgrind-theme', next); } catch (refused) { /* a page without storage forgets */ }
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

const paintFlames = () => heapViews.forEach((view) => view.flame && view.flame.paint());

// Figures and flame graphs have their colours drawn in; the rest follows the style sheet.
function recolour() {
  paintFlames();
  document.dispatchEvent(new Event('themechange'));
  return redrawAll();
}

function startPrint() {
  // What was not looked at yet is not drawn yet. The browser's own command cannot wait for it.
  const drawAll = async () => {
    await Promise.allSettled([...document.querySelectorAll('figure[data-part]')].map(showFigure));
    await followAll();
  };
  const inks = (onPaper) => {
    document.querySelectorAll('details.more').forEach((more) => { more.open = more.open || onPaper; });
    if (printing === onPaper) return Promise.resolve();
    const before = themeName();
    printing = onPaper;
    paintFlames();
    if (themeName() !== before) return recolour().then(() => fitPaper(onPaper));
    return fitPaper(onPaper);
  };
  document.getElementById('print').addEventListener('click', async () => { await drawAll(); await inks(true); window.print(); });
  window.addEventListener('beforeprint', () => { inks(true); drawAll(); });
  window.addEventListener('afterprint', () => inks(false));
}

function startTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.textContent = moment.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  }
}

function startNavigation() {
  const links = [...document.querySelectorAll('nav a')];
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const seen = scrollY ? entry.target.id : 'overview'; // however short that is
      for (const link of links) {
        if (link.hash === `#${seen}`) link.setAttribute('aria-current', 'true'); else link.removeAttribute('aria-current');
      }
    }
  }, { rootMargin: '-30% 0px -60% 0px' });
  document.querySelectorAll('main > section').forEach((section) => observer.observe(section));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const link = links[Number(event.key) - 1];
    if (link) link.click();
    else if (event.key === 't') document.getElementById('theme').click();
    else if (event.key === '/') { event.preventDefault(); (document.querySelector('main input[type=search]') || document.body).focus(); }
  });
}

// What lies below the first screen is built when the browser has nothing better to do, or at
// once when the address asks for a place in it.
const whenIdle = window.requestIdleCallback || ((work) => setTimeout(work, 50)); // Safari has none
const quiet = () => (location.hash ? Promise.resolve() : new Promise((done) => { whenIdle(done, { timeout: 2000 }); }));

// The browser's own print command waits for nothing: what can be printed is drawn by then.
async function drawRest() {
  for (const figure of document.querySelectorAll('figure[data-part]')) {
    await new Promise((done) => { whenIdle(done); });
    await showFigure(figure).catch(() => {}); // its place says why
  }
}

async function start() {
  startTheme();
  startPrint();
  startTimes();
  startNavigation();
  watchFigures();
  for (const part of [startScheduling, startHeap, startCost, startErrors, startComparison]) {
    await quiet();
    await part();
  }
  window.addEventListener('hashchange', followAddress);
  followAddress();
  performance.mark('ready');
  document.documentElement.dataset.ready = 'true';
  drawRest();
}

start().catch((error) => {
  const text = `Parts of this page cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  document.getElementById('overview').prepend(el('p', { class: 'damage', role: 'alert' }, text));
  throw error;
});
