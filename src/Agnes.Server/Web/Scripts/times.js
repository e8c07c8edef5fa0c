import { pageSignal } from './navigation.js';

const refreshMs = 30_000;
const steps = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [86_400 * 30, 'day', 86_400],
  [86_400 * 365, 'month', 86_400 * 30],
  [Infinity, 'year', 86_400 * 365],
];
const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** Relative times grow old while a page stays open; the absolute time is in the tooltip, in the reader's own zone too. */
export function keepTimesFresh(page) {
  const times = [...page.querySelectorAll('time[data-relative]')];
  if (times.length === 0) return;
  for (const time of times) time.title = `${time.title.split(' · ')[0]} · ${new Date(time.dateTime).toLocaleString()} here`;
  const refresh = () => {
    if (document.visibilityState === 'visible') for (const time of times) time.textContent = relative(new Date(time.dateTime));
  };
  refresh();
  const timer = setInterval(refresh, refreshMs);
  pageSignal().addEventListener('abort', () => clearInterval(timer));
}

export function relative(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return 'just now';
  const [, unit, unitSeconds] = steps.find(([below]) => size < below);
  return words.format(Math.trunc(seconds / unitSeconds) || Math.sign(seconds), unit);
}
