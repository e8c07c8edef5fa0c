import { visit } from './navigation.js';

const sequenceMs = 1200;
const setting = 'agnes_shortcuts';
let pending = 0;

/** Single-key shortcuts. They can be switched off in the sheet that ? shows (WCAG 2.1.4), and never act while someone types. */
export function watchShortcuts() {
  document.addEventListener('keydown', onKey);
  document.addEventListener('click', event => {
    if (event.target.closest?.('[data-open-shortcuts]')) openSheet();
    if (event.target.closest?.('[data-close-dialog]')) event.target.closest('dialog').close();
  });
  document.addEventListener('change', event => {
    if (event.target.matches?.('[data-shortcuts-enabled]')) remember(event.target.checked);
  });
}

function onKey(event) {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector('dialog[open]') || !enabled()) return;
  const act = actionFor(event.key);
  pending = event.key === 'g' ? event.timeStamp : 0;
  if (!act) return;
  event.preventDefault();
  act();
}

function actionFor(key) {
  if (pending && performance.now() - pending < sequenceMs) {
    const link = document.querySelector(`[data-shortcut="g ${CSS.escape(key)}"]`);
    return link ? () => visit(link.href) : null;
  }
  switch (key) {
    case '/': return focusSearch;
    case '?': return openSheet;
    case 'j': return () => moveRow(1);
    case 'k': return () => moveRow(-1);
    default: return null;
  }
}

function focusSearch() {
  const search = document.querySelector('main [data-search]');
  if (search) search.select();
  else if (document.querySelector('[data-shortcut="g c"]')) visit(new URL('/catalog', location.href).href, { keepFocus: '[data-search]' });
}

function moveRow(step) {
  const links = [...document.querySelectorAll('main [data-rows] tbody tr')].map(row => row.querySelector('a, button')).filter(Boolean);
  if (links.length === 0) return;
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: 'nearest' });
}

function openSheet() {
  const sheet = document.getElementById('shortcut-sheet');
  if (!sheet || sheet.open) return;
  sheet.querySelector('[data-shortcuts-enabled]').checked = enabled();
  sheet.showModal();
}

const isTyping = target => target.matches?.('input, textarea, select, [contenteditable]');

function enabled() {
  try {
    return localStorage.getItem(setting) !== 'off';
  } catch {
    return true; // storage can be forbidden; then the default holds
  }
}

function remember(on) {
  try {
    localStorage.setItem(setting, on ? 'on' : 'off');
  } catch {
    // Forbidden storage only means that the choice lasts as long as the page.
  }
}
