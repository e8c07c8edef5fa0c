const shownMs = 4000;
const shownMax = 3;

/** A short message in the corner that screen readers announce. */
export function toast(text, kind = 'plain') {
  const region = document.getElementById('toasts');
  if (!region) return;
  for (const same of [...region.children].filter(other => other.textContent === text)) same.remove();
  while (region.children.length >= shownMax) region.firstElementChild.remove();
  const message = document.createElement('p');
  message.className = `toast toast-${kind}`;
  message.textContent = text;
  region.append(message);
  setTimeout(() => message.remove(), shownMs);
}
