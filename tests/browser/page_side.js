// What the tests read in the page. A widget's tag is the class that probe.py gave it.
(() => {
  const tagOf = (element) => [...element.classList].find((name) => name.startsWith("probe-"));
  const words = (element) => element.textContent.split(/\s+/).filter(Boolean).join(" ");

  async function digest(image) {
    const content = await (await fetch(image.src)).arrayBuffer();
    const hash = await crypto.subtle.digest("SHA-256", content);
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  const label = (element) => (element ? element.textContent.trim() : null);

  const READERS = {
    "img": digest,
    ".widget-slider": (one) => label(one.querySelector(".widget-readout")),
    ".widget-toggle-buttons": (one) => label(one.querySelector(".mod-active")),
    ".widget-radio": (one) => label(one.querySelector("input:checked")?.parentElement),
    ".widget-checkbox": (one) => one.querySelector("input").checked,
    ".widget-html": (one) => words(one.querySelector(".widget-html-content")),
  };

  // {tag: what is shown} of all widgets that show something
  async function shown() {
    const found = {};
    for (const [selector, read] of Object.entries(READERS)) {
      for (const element of document.querySelectorAll(selector)) {
        if (tagOf(element)) found[tagOf(element)] = await read(element);
      }
    }
    return found;
  }

  function state(tag) {
    const element = document.querySelector(`.${tag}`);
    return Object.entries(READERS).find(([selector]) => element.matches(selector))[1](element);
  }

  // The tags of all controls in the page, in their order; an operable element that belongs to no
  // tagged widget appears as its own markup, so that it cannot be missed.
  const OPERABLE = "input, button, select, textarea, [role=slider], [contenteditable=true]";
  const CONTROLS = ".widget-slider, .widget-toggle-buttons, .widget-radio, .widget-checkbox, .widget-button";
  function controls() {
    const operable = [...document.querySelectorAll(".jp-OutputArea-output .jupyter-widgets")]
      .flatMap((widget) => [...widget.querySelectorAll(OPERABLE)]);
    const names = operable.map((element) => {
      const control = element.closest(CONTROLS);
      return (control && tagOf(control)) ?? element.outerHTML;
    });
    return [...new Set(names)];
  }

  // Watches a demo: all frames of its picture as digests, in order; for each of its parts the
  // places where it stood, seen from the demo's corner; and how far its bar was, "hidden" where
  // it was not seen.
  function watch(tag) {
    const demo = document.querySelector(`.${tag}`);
    const image = demo.querySelector(".demo-picture"), bar = demo.querySelector(".demo-progress");
    const frames = [], places = {}, bars = [];
    let stopped = false;
    const note = (list, value) => { if (list.at(-1) !== value) list.push(value); };
    const observer = new MutationObserver(() => frames.push(digest(image)));
    observer.observe(image, { attributes: true, attributeFilter: ["src"] });

    function look() {
      if (stopped) return;
      const corner = demo.getBoundingClientRect();
      for (const element of [demo, ...demo.querySelectorAll("[class*='probe-']")]) {
        const box = element.getBoundingClientRect();
        if (!box.width && !box.height) continue;  // not displayed
        const place = [box.x - corner.x, box.y - corner.y, box.width, box.height];
        const name = [...element.classList].join(" ");
        note((places[name] ??= []), place.map((one) => one.toFixed(1)).join(" "));
      }
      const seen = bar && getComputedStyle(bar).visibility === "visible";
      note(bars, seen ? bar.querySelector(".progress-bar").style.width : "hidden");
      requestAnimationFrame(look);
    }
    look();
    return {
      so_far: async () => ({ frames: await Promise.all(frames), places, bars }),
      end: () => { stopped = true; observer.disconnect(); },
    };
  }

  window.probe = { shown, state, controls, watch };
})();
