import { visit } from './navigation.js';
import { toast } from './toast.js';

/**
 * Forms with data-api call the JSON API: <form data-api="POST" action="/api/x" data-done="Done." data-confirm="Really?">. Then the page (or that of data-then) is shown
 * anew (data-if-match: only if nobody changed it meanwhile), or, with data-reveal="id", that part of it appears with {name} replaced by what the answer holds.
 */
export function watchActions() {
  document.addEventListener('submit', async event => {
    const form = event.target;
    if (form.dataset.api === undefined) return;
    event.preventDefault();
    if (form.dataset.confirm && !(await confirmed(form.dataset.confirm, event.submitter?.textContent ?? 'Continue'))) return;
    await send(form, event.submitter);
  }, true);
}

async function send(form, button) {
  clearErrors(form);
  button?.setAttribute('aria-busy', 'true');
  if (button) button.disabled = true;
  try {
    const body = form.elements.length > 0 ? JSON.stringify(values(form)) : undefined;
    const headers = { Accept: 'application/json', 'X-Requested-With': 'agnes', ...(body && { 'Content-Type': 'application/json' }), ...(form.dataset.ifMatch && { 'If-Match': form.dataset.ifMatch }) };
    const response = await fetch(form.getAttribute('action'), { method: form.dataset.api, headers, body });
    const answer = response.headers.get('content-type')?.includes('json') ? await response.json() : null;
    if (response.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    else if (!response.ok) showError(form, response.status, answer);
    else await done(form, answer);
  } catch {
    showProblem(form, 'The server could not be reached. Look whether it happened before you try again.');
  } finally {
    button?.removeAttribute('aria-busy');
    if (button) button.disabled = false;
  }
}

/** Empty fields are left out; data-type says what a number is, and data-empty="null" that nothing means null. */
function values(form) {
  const result = {};
  for (const field of form.elements) {
    if (!field.name || (field.type === 'checkbox' && !field.checked)) continue;
    if (field.value === '') {
      if (field.dataset.empty === 'null') result[field.name] = null;
    } else result[field.name] = field.dataset.type === 'integer' ? Number(field.value) : field.dataset.type === 'boolean' ? field.value === 'true' : field.value;
  }
  return result;
}

async function done(form, answer) {
  if (!form.dataset.reveal) {
    if (form.dataset.then) await visit(form.dataset.then);
    else await visit(location.href, { push: false, scroll: scrollY });
    if (form.dataset.done) toast(form.dataset.done);
    return;
  }
  const part = document.getElementById(form.dataset.reveal);
  for (const place of part.querySelectorAll('code, [data-copy]')) {
    place.dataset.template ??= place.dataset.copy ?? place.textContent;
    const text = place.dataset.template.replace(/\{(\w+)\}/g, (whole, name) => answer?.[name] ?? whole);
    if (place.dataset.copy === undefined) place.textContent = text;
    else place.dataset.copy = text;
  }
  part.hidden = false;
  form.reset();
  part.focus();
  if (form.dataset.done) toast(form.dataset.done);
}

function showError(form, status, answer) {
  const detail = answer?.detail;
  if (!Array.isArray(detail)) {
    showProblem(form, text(detail) ?? `The server answered with status ${status}.`);
    return;
  }
  let first = null;
  const others = [];
  for (const problem of detail) {
    const field = form.elements.namedItem(String(problem.loc?.at(-1) ?? ''));
    if (!(field instanceof HTMLElement)) {
      others.push(problem.msg);
      continue;
    }
    first ??= field;
    field.setAttribute('aria-invalid', 'true');
    const note = document.createElement('p');
    note.className = 'field-error';
    note.id = `${field.id}-error`;
    note.textContent = problem.msg;
    field.setAttribute('aria-describedby', note.id);
    field.after(note);
  }
  first?.focus();
  if (others.length > 0) showProblem(form, others.join(' '));
}

/** A detail may be a text, or an object that says it under one of these names. */
const text = detail => (typeof detail === 'string' ? detail : (detail?.message ?? detail?.hint ?? detail?.code ?? detail?.error ?? detail?.kind));

function showProblem(form, message) {
  const place = form.querySelector('[data-problem]');
  if (!place) {
    toast(message, 'bad');
    return;
  }
  place.textContent = message;
  place.hidden = false;
}

function clearErrors(form) {
  for (const note of form.querySelectorAll('.field-error')) note.remove();
  for (const field of form.querySelectorAll('[aria-invalid]')) {
    field.removeAttribute('aria-invalid');
    field.removeAttribute('aria-describedby');
  }
  const place = form.querySelector('[data-problem]');
  if (place) place.hidden = true;
}

function confirmed(question, label) {
  const dialog = document.getElementById('confirm');
  dialog.querySelector('[data-question]').textContent = question;
  dialog.querySelector('[data-yes]').textContent = label;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}
