import { pageSignal } from './navigation.js';
import { toast } from './toast.js';

const refreshEveryMs = 800;

/**
 * A part of the page that follows a stream: <section id="x" data-live="/stream" data-live-events="a b">. An event means "look again": the
 * page is fetched and this part of it swapped, so that only the server knows how things look, and a missed event costs nothing.
 */
export function followStreams(page) {
  for (const host of page.querySelectorAll('[data-live]')) follow(host);
}

function follow(host) {
  const signal = pageSignal();
  const stream = new EventSource(host.dataset.live);
  let timer = 0;
  let looking = false;
  let again = false; // what happens while the page is being fetched may not be in it
  const soon = () => {
    if (looking) again = true;
    else timer ||= setTimeout(look, refreshEveryMs);
  };
  const look = async () => {
    timer = 0;
    again = false;
    looking = true;
    await refresh(host, signal);
    looking = false;
    if (again && !signal.aborted) soon();
  };
  for (const name of host.dataset.liveEvents.split(' ')) {
    stream.addEventListener(name, () => {
      if (document.visibilityState === 'visible') soon();
      if (name === host.dataset.liveDone && host.querySelector('[data-running]')) toast('The sync has ended.');
    });
  }
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') soon(); }, { signal });
  signal.addEventListener('abort', () => {
    stream.close();
    clearTimeout(timer);
  });
}

async function refresh(host, signal) {
  try {
    const response = await fetch(location.href, { headers: { Accept: 'text/html', 'X-Requested-With': 'agnes' }, signal });
    const next = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById(host.id);
    if (!next || signal.aborted) return;
    const focused = host.contains(document.activeElement) ? document.activeElement : null;
    const scrolled = [...host.querySelectorAll('.log')].map(log => log.scrollTop + log.clientHeight >= log.scrollHeight - 4);
    host.replaceChildren(...document.adoptNode(next).childNodes);
    host.querySelectorAll('.log').forEach((log, i) => { if (scrolled[i] ?? true) log.scrollTop = log.scrollHeight; });
    if (focused) twin(host, focused)?.focus({ preventScroll: true });
  } catch (error) {
    if (error.name !== 'AbortError' && navigator.onLine) toast('The page could not be refreshed. It tries again with the next change.', 'bad');
  }
}

const twin = (host, old) => [...host.querySelectorAll('a, button')].find(one => one.textContent === old.textContent && one.getAttribute('href') === old.getAttribute('href'));
