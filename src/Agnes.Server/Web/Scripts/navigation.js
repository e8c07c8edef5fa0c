// Enhanced navigation: links and GET forms fetch the next page and swap the content, so that scripts and styles stay loaded.
// Anything unusual (not HTML, another build of the scripts, an error of the network) becomes an ordinary navigation.

import { toast } from './toast.js';

const pageSelector = '#page';
const patienceMs = 10_000;
const listeners = [];
let leaving = new AbortController();
let fetching = null;

/** Calls back now and after each change of page; the signal ends with the page. */
export function onPageChange(listener) {
  listeners.push(listener);
  listener(document.querySelector(pageSelector), leaving.signal);
}

/** The signal that ends when the page is left. */
export const pageSignal = () => leaving.signal;

export function watchNavigation() {
  if (!document.querySelector(pageSelector)) return;
  history.scrollRestoration = 'manual';
  history.replaceState({ scroll: scrollY }, '');
  document.addEventListener('click', onClick);
  document.addEventListener('submit', onSubmit);
  addEventListener('popstate', event => {
    if (event.state !== null) visit(location.href, { push: false, scroll: event.state.scroll ?? 0 });
  });
}

/** Goes to an address of this site. */
export async function visit(url, { push = true, scroll = 0, request = {}, keepFocus = null } = {}) {
  fetching?.abort();
  const mine = (fetching = new AbortController());
  const root = document.documentElement;
  root.dataset.busy = '';
  const slow = setTimeout(() => toast('This is taking longer than usual. Press Escape to stop waiting.'), patienceMs);
  try {
    const response = await fetch(url, { ...request, headers: { Accept: 'text/html', 'X-Requested-With': 'agnes' }, signal: mine.signal });
    const next = await readPage(response);
    if (!next) {
      location.assign(request.method === 'POST' ? location.href : url);
      return;
    }
    if (push) {
      history.replaceState({ scroll: scrollY }, '');
      const address = new URL(response.url);
      address.hash = new URL(url, location.href).hash;
      history.pushState({ scroll: 0 }, '', address);
    }
    show(next, scroll, keepFocus);
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (navigator.onLine && request.method !== 'POST') location.assign(url);
    else toast('The server could not be reached. Nothing was sent twice; try again.', 'bad');
  } finally {
    clearTimeout(slow);
    if (fetching === mine) {
      fetching = null;
      delete root.dataset.busy;
    }
  }
}

async function readPage(response) {
  if (!response.headers.get('content-type')?.startsWith('text/html')) return null;
  const next = new DOMParser().parseFromString(await response.text(), 'text/html');
  const sameScripts = scriptsOf(next) === scriptsOf(document);
  return sameScripts && next.querySelector(pageSelector) ? next : null;
}

const scriptsOf = page => [...page.querySelectorAll('script[src]')].map(script => script.getAttribute('src')).join();

function show(next, scroll, keepFocus) {
  leaving.abort();
  leaving = new AbortController();
  document.title = next.title;
  const page = document.adoptNode(next.querySelector(pageSelector));
  const first = page.querySelector('[autofocus]'); // browsers look at it only when they load a page by themselves
  first?.removeAttribute('autofocus');
  document.querySelector(pageSelector).replaceWith(page);
  if (location.hash && document.getElementById(location.hash.slice(1))) document.getElementById(location.hash.slice(1)).scrollIntoView();
  else scrollTo(0, scroll);
  if (first && !keepFocus) first.focus({ preventScroll: true });
  else focusOn(keepFocus ? page.querySelector(keepFocus) : null);
  for (const listener of listeners) listener(page, leaving.signal);
}

function focusOn(control) {
  if (control) {
    control.focus({ preventScroll: true });
    control.setSelectionRange?.(control.value.length, control.value.length);
    return;
  }
  document.querySelector('main')?.focus({ preventScroll: true });
}

function onClick(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href]');
  if (!link || link.target || link.hasAttribute('download') || link.dataset.plain !== undefined) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
  event.preventDefault();
  visit(url.href);
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.dataset.enhance === undefined) return;
  event.preventDefault();
  const values = new URLSearchParams(new FormData(form, event.submitter));
  const focused = document.activeElement;
  const keepFocus = focused?.id && form.contains(focused) && focused.matches('input') ? `#${CSS.escape(focused.id)}` : null;
  const url = new URL(form.action);
  if (form.method === 'post') {
    visit(url.href, { request: { method: 'POST', body: values } });
    return;
  }
  for (const [name, value] of [...values]) if (value === '') values.delete(name, value);
  url.search = values;
  visit(url.href, { keepFocus });
}

addEventListener('keydown', event => {
  if (event.key === 'Escape' && fetching) {
    fetching.abort();
    delete document.documentElement.dataset.busy;
  }
});
