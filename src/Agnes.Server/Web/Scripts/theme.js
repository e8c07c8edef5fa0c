// The choice is a cookie: the server puts it on <html>, so that no page flashes in the other scheme.

const choices = ['system', 'light', 'dark'];
const labels = { system: 'as the system', light: 'light', dark: 'dark' };
const yearSeconds = 31_536_000;

const chosen = () => document.documentElement.dataset.theme ?? 'system';

export function watchTheme() {
  document.addEventListener('click', event => {
    const button = event.target.closest?.('button[data-theme-toggle]');
    if (!button) return;
    const next = choices[(choices.indexOf(chosen()) + 1) % choices.length];
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `agnes_theme=${next}; Path=/; Max-Age=${next === 'system' ? 0 : yearSeconds}; SameSite=Lax${secure}`;
    showThemeChoice(document);
  });
}

export function showThemeChoice(page) {
  const now = chosen();
  const next = choices[(choices.indexOf(now) + 1) % choices.length];
  for (const button of page.querySelectorAll('button[data-theme-toggle]')) {
    button.hidden = false;
    button.title = `Colours: ${labels[now]}. Switch to ${labels[next]}.`;
    button.setAttribute('aria-label', button.title);
    for (const icon of button.querySelectorAll('[data-theme-icon]')) icon.toggleAttribute('hidden', icon.dataset.themeIcon !== now);
  }
}
