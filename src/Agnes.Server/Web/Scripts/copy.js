import { toast } from './toast.js';

const shownMs = 2500;

/** Buttons with data-copy put that text on the clipboard and say so. */
export function watchCopyButtons() {
  document.addEventListener('click', async event => {
    const button = event.target.closest?.('button[data-copy]');
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      // Without the permission, or without HTTPS, the text is selected for the reader to copy.
      const text = button.parentElement.querySelector('code');
      if (text) getSelection().selectAllChildren(text);
      toast('Copying is not allowed here. The text is selected: press Ctrl+C or ⌘C.');
      return;
    }
    const label = button.querySelector('span');
    button.dataset.label ??= label.textContent;
    button.dataset.copied = '';
    label.textContent = 'Copied';
    toast('Copied to the clipboard.');
    clearTimeout(button.restore);
    button.restore = setTimeout(() => {
      label.textContent = button.dataset.label;
      delete button.dataset.copied;
    }, shownMs);
  });
}
