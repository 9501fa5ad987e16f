'use strict';
const pageSize = 24, latestFlags = 950;
const byId = id => document.getElementById(id);

// The base URL of the gallery: data-root, which the page has, resolved against the address of this
// page. The query and the fragment are left out, because whoever sends a link chooses them.
const root = new URL(document.documentElement.dataset.root, location.origin + location.pathname).href;

// Everything from a response is set as text or as an attribute, never as HTML.
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value != null) node.setAttribute(key, value);
  node.append(...children.filter(child => child != null && child !== ''));
  return node;
}
// safe returns an http or https address, or undefined for any other value.
function safe(address) {
  const url = address && URL.canParse(address) && new URL(address);
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined;
}
const counted = (n, noun) => n === 1 ? `1 ${noun}` : `${n.toLocaleString('en')} ${noun}s`;

// numbers returns how often an extension was installed, and how it is rated.
function numbers(installs, rating, ratings) {
  return [installs ? counted(installs, 'install') : '', ratings ? `★ ${rating.toFixed(1)} (${ratings.toLocaleString('en')})` : ''].filter(Boolean);
}

// query sends one query to the gallery's API.
async function query(text, sort, page, size) {
  const criteria = [{ filterType: 8, value: 'Microsoft.VisualStudio.Code' }, { filterType: 12, value: '4096' }];
  if (text) criteria.push({ filterType: 10, value: text });
  const filter = { criteria, pageNumber: page, pageSize: size, sortBy: sort, sortOrder: 0 };
  const response = await fetch(root + 'api/extensionquery', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ filters: [filter], assetTypes: [], flags: latestFlags }),
  });
  if (!response.ok) throw new Error(`the gallery responded with status ${response.status}`);
  const result = (await response.json()).results[0];
  return { extensions: result.extensions, total: result.resultMetadata[0].metadataItems[0].count };
}

// colour returns the number of the colour of an extension without an icon: FNV-1a of its id.
function colour(id) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id.toLowerCase())) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % 6;
}

// card returns the row of an extension, as the pages have it.
function card(e) {
  const id = `${e.publisher.publisherName}.${e.extensionName}`, newest = e.versions[0];
  const type = 'Microsoft.VisualStudio.Services.Icons.Default';
  const icon = newest.files.some(f => f.assetType === type) ? safe(`${newest.assetUri}/${type}`) : undefined;
  const statistic = name => (e.statistics.find(s => s.statisticName === name) || {}).value || 0;
  const tile = () => make('span', { class: `icon tile-${colour(id)}`, 'aria-hidden': 'true' }, (e.displayName || '·')[0].toUpperCase());
  const picture = icon ? make('img', { class: 'icon', src: icon, alt: '', width: 48, height: 48 }) : tile();
  picture.onerror = () => picture.replaceWith(tile());
  const facts = [e.publisher.displayName, newest.version, ...numbers(statistic('install'), statistic('averagerating'), statistic('ratingcount'))];
  return make('li', { class: 'card', 'data-id': id.toLowerCase() }, picture, make('div', {},
    make('h3', {}, make('a', { href: `${root}item/${encodeURIComponent(id.toLowerCase())}.html` }, e.displayName)),
    make('p', {}, e.shortDescription || ''), make('p', { class: 'small' }, facts.join(' · '))));
}

// search keeps the text and the order in the address, and the number of rows and the row that was
// left in the state of the history, so that Back returns to it.
function search() {
  const input = byId('q'), sort = byId('sort'), rows = byId('rows'), count = byId('count'), more = byId('more');
  const title = document.title;
  let newest = 0, page = 0, typing;
  const given = new URLSearchParams(location.search);
  input.value = given.get('q') || '';
  sort.value = given.get('sort') || '';

  async function show(state) {
    const current = ++newest, text = input.value.trim(), active = text !== '' || sort.value !== '';
    byId('results').hidden = !active;
    byId('browse').hidden = active;
    document.title = text ? `${text} · ${title}` : title;
    if (!active) return;
    page = state?.page || 1;
    const found = await query(text, +(sort.value || (text ? 0 : 4)), 1, page * pageSize);
    if (current !== newest) return; // a newer search was begun
    rows.replaceChildren(...found.extensions.map(card));
    finish(found.total);
    const left = state?.row && rows.querySelector(`[data-id="${CSS.escape(state.row)}"] a`);
    if (left) { left.focus({ preventScroll: true }); scrollTo(0, state.top); }
  }
  async function next() {
    const current = newest, first = rows.children.length;
    const found = await query(input.value.trim(), +(sort.value || (input.value.trim() ? 0 : 4)), ++page, pageSize);
    if (current !== newest) return;
    rows.append(...found.extensions.map(card));
    finish(found.total);
    rows.children[first]?.querySelector('a').focus();
  }
  function finish(total) {
    count.textContent = counted(total, 'extension');
    more.hidden = rows.children.length >= total;
  }
  const failed = error => {
    rows.replaceChildren();
    count.textContent = `The search failed: ${error.message}. All extensions are listed by letter and by category.`;
    more.hidden = true;
    byId('browse').hidden = false;
  };
  const keep = state => {
    const address = new URL(location.origin + location.pathname);
    if (input.value.trim()) address.searchParams.set('q', input.value.trim());
    if (sort.value) address.searchParams.set('sort', sort.value);
    history.replaceState(state, '', address);
  };
  const begin = () => { keep(null); show().catch(failed); };

  input.oninput = () => { clearTimeout(typing); typing = setTimeout(begin, 120); };
  sort.onchange = begin;
  more.onclick = () => next().catch(failed);
  input.form.onsubmit = event => { event.preventDefault(); clearTimeout(typing); begin(); };
  rows.onclick = event => {
    const row = event.target.closest('a')?.closest('li');
    if (row) keep({ page, row: row.dataset.id, top: scrollY });
  };
  if (history.state?.row) history.scrollRestoration = 'manual';
  show(history.state).catch(failed);
}

// send makes the search of other pages go to the home page.
function send(form) {
  form.onsubmit = event => {
    event.preventDefault();
    const text = byId('q').value.trim();
    location.href = `${root}index.html${text ? '?q=' + encodeURIComponent(text) : ''}`;
  };
}

// copying adds a button that copies to a block of code.
function copying(block) {
  if (!navigator.clipboard) return;
  const button = make('button', { class: 'copying', type: 'button' }, 'Copy');
  button.onclick = async () => {
    await navigator.clipboard.writeText(block.querySelector('code').textContent.trim());
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  };
  block.append(button);
}

// statistics adds the numbers that change every night.
async function statistics(place) {
  const response = await fetch(`${root}statistics/${place.dataset.shard}.json`);
  const found = response.ok && (await response.json())[place.dataset.id];
  if (found) place.append(...numbers(found.installs, found.rating, found.ratings).map(text => make('span', {}, text)));
}

// find goes to the page of the extension that an editor named, or says that there is none.
async function find(name) {
  const id = (name || '').toLowerCase(), address = `${root}item/${encodeURIComponent(id)}.html`;
  if (!/^[^/\\.][^/\\]*$/.test(id)) return;
  const response = await fetch(address, { method: 'HEAD' });
  if (response.ok) location.replace(address);
  else byId('finding').textContent = `${name} is not in this gallery.`;
}

if (byId('results')) search();
else if (byId('q')) send(byId('q').form);
for (const block of document.querySelectorAll('.copy')) copying(block);
for (const place of document.querySelectorAll('[data-shard]')) statistics(place).catch(() => {});
for (const code of document.querySelectorAll('code.base')) code.textContent = code.textContent.replaceAll('https://gallery.example', root.replace(/\/$/, ''));
if (byId('finding')) find(new URLSearchParams(location.search).get('itemName')).catch(() => {});
