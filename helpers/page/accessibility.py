"""Names that a screen reader can say, where ipywidgets leaves them out.

The handle of a slider of ipywidgets has the role of a slider, but neither its description for a
name nor the text of its value; a picture has no alternative text; a row of buttons does not say
what it is a row of, nor which of them is pressed; a progress bar says nothing. And Notebook 7
takes the arrow keys from sliders. No trait sets any of this. So a view brings an empty style sheet
along, which runs one script when it has been loaded: no further package, the same in all front
ends. Where one forbids scripts, a demo works as before.
"""

import html

import ipywidgets

SCRIPT = """
const view = this.closest('.spoken-names').parentElement;
const set = (node, attributes) => {
  for (const [name, value] of Object.entries(attributes))
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
};
const OWN_KEYS = {'data-lm-suppress-shortcuts': 'true'};
const words = node => node ? node.textContent.replaceAll('\\u200b', '').trim() : '';
const each = (selector, speak) => view.querySelectorAll(selector).forEach(node => {
  const name = words(node.querySelector('.widget-label')) || words(node.previousElementSibling)
    || words(node.parentElement.previousElementSibling);
  speak(node, name);
});
const speakAll = () => {
  each('.widget-slider', (node, name) => set(node.querySelector('[role=slider]'), {
    'aria-label': name, 'aria-valuetext': words(node.querySelector('.widget-readout')),
    ...OWN_KEYS}));
  each('.widget-toggle-buttons', (node, name) => set(node, {role: 'group', 'aria-label': name}));
  each('.widget-toggle-button', node =>
    set(node, {'aria-pressed': String(node.classList.contains('mod-active'))}));
  each('.widget-radio', (node, name) => set(node, {role: 'radiogroup', 'aria-label': name}));
  each('.widget-hprogress', node => set(node, {
    role: 'progressbar', 'aria-label': words(node.querySelector('.widget-label')) || 'training',
    'aria-valuenow': String(parseInt(node.querySelector('.progress-bar').style.width) || 0)}));
  each('.demo-picture', node => set(node, {
    alt: 'Picture of the demo; the sentence below it says what is seen.'}));
  each('.demo-sentence', node => set(node, {'aria-live': 'polite'}));
};
speakAll();
new MutationObserver(speakAll).observe(view, {
  subtree: true, childList: true, characterData: true,
  attributes: true, attributeFilter: ['class', 'style', 'aria-valuetext']
});
"""


def spoken_names():
    """Return an invisible widget that names what stands beside it, in the box that holds it."""
    style = f'<style onload="{html.escape(SCRIPT)}"></style>'
    return ipywidgets.HTML(style, layout={"display": "none"}).add_class("spoken-names")
