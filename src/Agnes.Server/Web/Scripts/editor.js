import { pageSignal } from './navigation.js';

const previewAfterMs = 500;

/**
 * <textarea data-preview="/address" data-preview-into="id"> shows in that element, half a second after the last key, what the server makes of the text; what is wrong with it
 * appears in the element `<id>-problem`. <button data-fill="id" data-fill-from="template's id"> puts a prepared text into a field.
 */
export function watchEditors() {
  let timer;
  document.addEventListener('input', event => {
    const field = event.target;
    if (!field.dataset?.preview) return;
    clearTimeout(timer);
    timer = setTimeout(() => preview(field), previewAfterMs);
  });
  document.addEventListener('click', event => {
    const button = event.target.closest?.('[data-fill]');
    if (!button) return;
    const field = document.getElementById(button.dataset.fill);
    field.value = document.getElementById(button.dataset.fillFrom).content.textContent;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
  });
}

async function preview(field) {
  const into = document.getElementById(field.dataset.previewInto);
  const problem = document.getElementById(`${field.dataset.previewInto}-problem`);
  const asked = field.value;
  let answer = null;
  try {
    const response = await fetch(field.dataset.preview, {
      method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-Requested-With': 'agnes' }, body: JSON.stringify({ content: asked }), signal: pageSignal(),
    });
    answer = await response.json();
    if (field.value !== asked) return; // a later one is under way
    if (response.ok) into.textContent = answer.content;
    problem.hidden = response.ok;
    problem.textContent = response.ok ? '' : typeof answer.detail === 'string' ? answer.detail : (answer.detail?.[0]?.msg ?? 'The text cannot be rendered.');
  } catch (error) {
    if (error.name === 'AbortError') return;
    problem.hidden = false;
    problem.textContent = 'The server could not be reached.';
  }
}
