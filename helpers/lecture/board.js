// Runs once in the page, with the board's own box as `board`: keys, the address, a lost kernel.
const board = this.closest('.lecture-board');
const inVoila = 'voila' in document.body.dataset;
const shown = css => [...board.querySelectorAll(css)].filter(one => one.getClientRects().length);
const press = css => () => shown(css)[0]?.click();
const on = press('.lecture-next'), back = press('.lecture-back');
const KEYS = {' ': on, Enter: on, PageDown: on, ArrowRight: on, PageUp: back, ArrowLeft: back};

// Whoever comes to one of these with Tab wants to press it. (`:focus-visible` does not say so: with
// the first key, it is also true of what was clicked.)
const CONTROLS = 'button:not(.lecture-next), select, [type=checkbox]';
let tabbed = null;
window.addEventListener('keyup', event => {
  if (event.key === 'Tab') tabbed = document.activeElement;
});
window.addEventListener('pointerdown', () => tabbed = null);

// JupyterLab listens as well, and a click on the picture would leave the focus outside.
board.tabIndex = -1;
window.addEventListener('keydown', event => {
  const at = document.activeElement, key = event.key;
  if (!board.isConnected || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (!inVoila && !board.contains(at)) return;
  if (key.startsWith('Arrow') && at.closest('[role=slider]')) return;
  if (at.isContentEditable && !key.startsWith('Page')) return;  // the number beside a slider
  if ([' ', 'Enter'].includes(key) && at === tabbed && at.matches(CONTROLS)) return;
  const isNumber = /^[1-9]$/.test(key) && !at.matches('[type=number], [type=text]');
  const answer = isNumber ? shown('.lecture-answers button')[key - 1] : null;
  const act = answer ? () => answer.click() : KEYS[key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!event.repeat) act();
}, true);

// Whatever the kernel says comes through one hidden box: where the lecture stands, and an echo.
const place = board.querySelector('.lecture-place'), asks = board.querySelector('.lecture-pulse input');
const said = () => place.querySelector('[data-echo]')?.dataset ?? {};
const keep = () => {
  if (inVoila && said().address) history.replaceState(null, '', '?' + said().address);
};
new MutationObserver(keep).observe(place, {childList: true, subtree: true});
keep();

const SECONDS = 12;  // a kernel that computes may be silent for some
let asked = 0, silent = 0;
const pulse = setInterval(() => {
  if (said().echo === String(asked)) {
    silent = 0;
    asks.value = String(asked += 1);
    asks.dispatchEvent(new Event('input', {bubbles: true}));
  } else if (asked) silent += 1;
  board.classList.toggle('lecture-lost', silent > SECONDS);
}, 1000);
window.addEventListener('beforeunload', () => clearInterval(pulse));

// Voila's page ends its kernel when it is left, if it has a cookie; but it is never given one.
if (inVoila && !document.cookie.includes('_xsrf=')) {
  const token = crypto.getRandomValues(new Uint32Array(4)).join('');
  document.cookie = `_xsrf=${token}; path=/; SameSite=Strict`;
}
