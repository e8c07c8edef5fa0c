/** The browser opens and closes popovers itself; this adds what it leaves out: state for assistive technology, and arrow keys. */
export function watchPopovers() {
  document.addEventListener('toggle', event => {
    const popover = event.target;
    if (!popover.id || !popover.popover) return;
    const open = event.newState === 'open';
    document.querySelector(`[popovertarget="${CSS.escape(popover.id)}"]`)?.setAttribute('aria-expanded', String(open));
    if (open) popover.querySelector('a, button')?.focus();
  }, true);
  document.addEventListener('keydown', event => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const popover = event.target.closest?.('[popover]:popover-open');
    if (!popover) return;
    const items = [...popover.querySelectorAll('a, button')];
    const step = event.key === 'ArrowDown' ? 1 : -1;
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
    event.preventDefault();
  });
}
