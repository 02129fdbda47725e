// The page's script: follows links and forms inside the page, keeps the address, redraws what has changed. Gradio runs it once;
// `element` is the component's element, `server` holds the Python functions show, act and stamp of demo/app.py.
const stage = element.querySelector('.vl-stage');
const EVERY = Number(stage.dataset.every);
let latest = 0, wanted = 0, seen = null, page = null, raw = new Map();

function tell(text) {
  stage.innerHTML = '<div class="vl"><div class="notice"><p></p><p class="note">Reload the page to try again.</p></div></div>';
  stage.querySelector('p').textContent = text;
  raw = new Map();
}

function partsOf(root) {
  return new Map([...root.querySelectorAll('[data-part]')].map(part => [part.dataset.part, part]));
}

function keepState(old, fresh) {
  const open = [...old.querySelectorAll('details')].map(item => item.open);
  const after = [...fresh.querySelectorAll('details')];
  if (open.length === after.length) after.forEach((item, i) => { item.open = open[i]; });
}

function draw(answer, refreshed) {
  const template = document.createElement('template');
  template.innerHTML = answer.html;
  const fresh = partsOf(template.content), before = partsOf(stage);
  const texts = new Map([...fresh].map(([name, part]) => [name, part.outerHTML]));
  const scrolls = new Map([...stage.querySelectorAll('[data-keep-scroll]')].map(item => [item.dataset.keepScroll, item.scrollTop]));
  const same = page === answer.page && fresh.size && [...fresh.keys()].join() === [...before.keys()].join();
  if (same) {
    for (const [name, part] of fresh) {
      if (raw.get(name) === texts.get(name)) continue;
      if (refreshed) keepState(before.get(name), part);
      before.get(name).replaceWith(part);
    }
  } else {
    stage.replaceChildren(template.content);
  }
  raw = texts;
  page = answer.page;
  document.title = answer.title;
  document.body.dataset.page = answer.page;
  stage.querySelectorAll('[data-keep-scroll]').forEach(item => {
    if (scrolls.has(item.dataset.keepScroll)) item.scrollTop = scrolls.get(item.dataset.keepScroll);
    const current = item.querySelector('[aria-current=true]');
    if (current && !refreshed) current.scrollIntoView({block: 'nearest'});
  });
  if (!refreshed) window.scrollTo(0, 0);
  seen = answer.stamp;
  stage.dataset.ready = String(latest);
  stage.querySelectorAll('[data-lazy]').forEach(fill);
}

async function show(query, how) {
  const turn = ++latest;
  if (how !== 'refresh') wanted = turn;
  const slow = setTimeout(() => stage.classList.add('busy'), 120);
  try {
    const answer = await server.show(query);
    if (turn !== latest) return;
    if (how === 'push') history.pushState(null, '', query);
    draw(answer, how === 'refresh');
  } catch (error) {
    if (turn === latest && how !== 'refresh') tell('The inspector does not answer: ' + (error && error.message || error));
  } finally {
    clearTimeout(slow);
    if (turn === wanted) wanted = 0;
    if (turn === latest) stage.classList.remove('busy');
  }
}

async function act(name, fields, target) {
  if (target) target.classList.add('busy');
  try {
    const answer = await server.act({query: location.search, action: name, fields});
    if (answer.download) save(answer.download, answer.text);
    else if (target) target.innerHTML = answer.html;
  } catch (error) {
    if (target) target.textContent = 'The inspector does not answer: ' + (error && error.message || error);
  } finally {
    if (target) target.classList.remove('busy');
  }
}

function save(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function fill(target) {
  const name = target.dataset.lazy;
  target.removeAttribute('data-lazy');
  act(name, {...target.dataset}, target);
}

element.addEventListener('click', event => {
  const link = event.target.closest('a[href^="?"]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    show(link.getAttribute('href'), 'push');
  }
  const copy = event.target.closest('[data-copy]');
  if (copy) navigator.clipboard.writeText(location.href).then(() => { copy.textContent = 'copied'; });
  if (event.target.closest('[data-theme]')) {
    const dark = document.body.classList.toggle('dark');
    localStorage.setItem('vlrl-theme', dark ? 'dark' : 'light');
  }
});

element.addEventListener('submit', event => {
  event.preventDefault();
  const form = event.target, fields = new FormData(form, event.submitter);
  if (form.dataset.act) {
    act(event.submitter && event.submitter.dataset.act || form.dataset.act, Object.fromEntries(fields), document.getElementById(form.dataset.into));
    return;
  }
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== '') query.append(name, value);
  show('?' + query, 'push');
});

element.addEventListener('change', event => {
  if (event.target.matches('[data-auto]')) event.target.form.requestSubmit();
});

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, [contenteditable]')) return;
  const link = [...stage.querySelectorAll('a[data-key]')].find(item => item.dataset.key.split(' ').includes(event.key));
  if (!link) return;
  event.preventDefault();
  show(link.getAttribute('href'), 'push');
});

// groups: what belongs to the completion under the pointer, or in focus, stands alone

function isolate(target) {
  const item = target.closest('[data-i]'), group = item && item.closest('.group');
  stage.querySelectorAll('.isolated').forEach(other => other.classList.remove('isolated'));
  stage.querySelectorAll('.lit').forEach(other => other.classList.remove('lit'));
  if (!group) return;
  group.classList.add('isolated');
  group.querySelectorAll(`[data-i="${CSS.escape(item.dataset.i)}"]`).forEach(part => part.classList.add('lit'));
}

element.addEventListener('pointerover', event => isolate(event.target));
element.addEventListener('focusin', event => isolate(event.target));
element.addEventListener('pointerleave', () => isolate(element));

// charts: the values of the step under the pointer, and a click that leads to it

const SVG = 'http://www.w3.org/2000/svg';

function svg(parent, name, attributes, text) {
  const made = parent.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function nearest(plot, event) {
  const box = plot.getBoundingClientRect(), wide = plot.viewBox.baseVal.width;
  const x = (event.clientX - box.left) / box.width * wide;
  const points = plot.vlPoints || (plot.vlPoints = JSON.parse(plot.dataset.plot));
  return points.reduce((best, point) => Math.abs(point[1] - x) < Math.abs(best[1] - x) ? point : best);
}

element.addEventListener('pointermove', event => {
  const plot = event.target.closest('svg[data-plot]');
  stage.querySelectorAll('svg[data-plot] .tip').forEach(tip => tip.remove());
  if (!plot) return;
  const [step, at, ...words] = nearest(plot, event), {width, height} = plot.viewBox.baseVal;
  const tip = svg(plot, 'g', {class: 'tip'}), lines = ['step ' + step, ...words];
  const wide = 14 + 5.7 * Math.max(...lines.map(line => line.length));
  const left = Math.min(Math.max(at < width / 2 ? at + 8 : at - 8 - wide, 0), width - wide);
  svg(tip, 'line', {x1: at, x2: at, y1: 10, y2: height - 24});
  svg(tip, 'rect', {x: left, y: 10, width: wide, height: 7 + 13 * lines.length, rx: 3});
  lines.forEach((line, i) => svg(tip, 'text', {x: left + 7, y: 24 + 13 * i}, line));
});

element.addEventListener('click', event => {
  const plot = event.target.closest('svg[data-step-link]');
  if (plot) show(plot.dataset.stepLink + nearest(plot, event)[0], 'push');
});

window.addEventListener('popstate', () => show(location.search, 'back'));

function isBusyReading() {
  const selection = document.getSelection(), focus = document.activeElement;
  return (selection && !selection.isCollapsed) || (focus && stage.contains(focus) && focus.matches('input, textarea, select'));
}

setInterval(async () => {
  if (document.hidden || seen === null || isBusyReading()) return;
  try {
    const now = await server.stamp(location.search);
    stage.classList.remove('lost');
    if (now !== seen && !wanted) show(location.search, 'refresh'); // what somebody has asked for is not overtaken
  } catch (error) {
    stage.classList.add('lost');
  }
}, EVERY);

const theme = localStorage.getItem('vlrl-theme');
if (theme) document.body.classList.toggle('dark', theme === 'dark');
show(location.search, 'first');
