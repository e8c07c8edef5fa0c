import { pageSignal } from './navigation.js';

const skeletonAfterMs = 300;
const slowAfterMs = 10_000;

/**
 * A part of a page that takes time, or may fail, loads on its own: <section data-fragment="/address"> holds a link to that address, which
 * is a page by itself; its [data-fragment-content] takes the place of the link.
 */
export function loadFragments(page) {
  for (const host of page.querySelectorAll('[data-fragment]')) load(host);
}

async function load(host) {
  const signal = AbortSignal.any([pageSignal(), (host.cancel = new AbortController()).signal]);
  const link = host.innerHTML;
  host.setAttribute('aria-busy', 'true');
  const skeleton = setTimeout(() => host.replaceChildren(bars()), skeletonAfterMs);
  const slow = setTimeout(() => host.append(waiting(host)), slowAfterMs);
  try {
    const response = await fetch(host.dataset.fragment, { headers: { Accept: 'text/html', 'X-Requested-With': 'agnes' }, signal });
    const next = new DOMParser().parseFromString(await response.text(), 'text/html');
    const content = next.querySelector('[data-fragment-content]');
    if (content) host.replaceChildren(...document.adoptNode(content).childNodes);
    else host.replaceChildren(failed(host, link, response.ok ? '' : next.querySelector('[data-error-message]')?.textContent));
  } catch (error) {
    if (!pageSignal().aborted) host.replaceChildren(failed(host, link, error.name === 'AbortError' ? 'Stopped.' : 'The server could not be reached.'));
  } finally {
    clearTimeout(skeleton);
    clearTimeout(slow);
    host.removeAttribute('aria-busy');
  }
}

function bars() {
  const box = document.createElement('div');
  box.className = 'loading card-body';
  for (let i = 0; i < 6; i++) box.append(document.createElement('i'));
  return box;
}

function waiting(host) {
  return message('notice', 'Still working. The server may be starting a query worker.', 'Stop', () => host.cancel.abort());
}

function failed(host, link, reason) {
  return message('notice notice-bad', reason || 'This part could not be loaded.', 'Try again', () => {
    host.innerHTML = link; // what the server had rendered
    load(host);
  });
}

function message(className, text, label, act) {
  const box = document.createElement('div');
  box.className = 'card-body';
  const notice = box.appendChild(document.createElement('div'));
  notice.className = className;
  notice.setAttribute('role', 'status');
  notice.append(text, ' ');
  const button = notice.appendChild(document.createElement('button'));
  button.type = 'button';
  button.className = 'button button-small';
  button.textContent = label;
  button.addEventListener('click', act);
  return box;
}
