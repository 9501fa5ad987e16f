'use strict';
const pageSize = 24, latestFlags = 950;
const byId = id => document.getElementById(id);

// The base URL of the gallery: data-root, which the page has, resolved against the address of this
// page. The query and the fragment are left out, because whoever sends a link chooses them.
const { dataset } = document.documentElement;
const root = new URL(dataset.root, location.origin + location.pathname).href, content = dataset.content ? dataset.content + '/' : root;

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

// query returns one page of results as {extensions, total}. A gallery that is only files has no
// server that answers. Then the result also has more, if there are more results than total, and
// last, if there is no further page.
let onlyFiles = false;
async function query(text, sort, page, size) {
  if (!onlyFiles) {
    const found = await post(text, sort, page, size);
    if (found) return found;
    onlyFiles = true;
  }
  return searchFiles(text, sort, page, size);
}

function failed(response) { throw new Error(`the gallery responded with status ${response.status}`); }

// post sends a query to the gallery's API. It returns undefined if there is none.
async function post(text, sort, page, size) {
  const criteria = [{ filterType: 8, value: 'Microsoft.VisualStudio.Code' }, { filterType: 12, value: '4096' }];
  if (text) criteria.push({ filterType: 10, value: text });
  const filter = { criteria, pageNumber: page, pageSize: size, sortBy: sort, sortOrder: 0 };
  const response = await fetch(root + 'api/extensionquery', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ filters: [filter], assetTypes: [], flags: latestFlags }),
  });
  if ([403, 404, 405, 501].includes(response.status)) return;
  if (!response.ok) failed(response);
  if (!/json/.test(response.headers.get('Content-Type'))) return;
  const result = (await response.json()).results[0];
  return { extensions: result.extensions.map(fromResponse), total: result.resultMetadata[0].metadataItems[0].count };
}

// fromResponse returns what a card shows of an extension in a response.
function fromResponse(e) {
  const newest = e.versions[0], type = 'Microsoft.VisualStudio.Services.Icons.Default';
  const statistic = name => (e.statistics.find(s => s.statisticName === name) || {}).value || 0;
  return {
    id: `${e.publisher.publisherName}.${e.extensionName}`, name: e.displayName, publisher: e.publisher.displayName, description: e.shortDescription, version: newest.version,
    icon: newest.files.some(f => f.assetType === type) ? `${newest.assetUri}/${type}` : '', facts: numbers(statistic('install'), statistic('averagerating'), statistic('ratingcount')),
  };
}

// The search in files. Their format is that of the Go package searchdata.
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', recordSize = 15, mostWords = 5;
const number = text => [...text].reduce((n, digit) => 64 * n + digits.indexOf(digit), 0);
const cut = (text, size) => text ? text.match(RegExp(`.{${size}}`, 'g')) : [];
const hex = (n, size) => n.toString(16).padStart(size, '0');
// amount returns the least number of a level.
const amount = level => level && 10 ** ((level - 1) / 7) * 1.000001;

// hash returns FNV-1a of a text.
function hash(text) {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

// load returns a file. A file that would be empty does not exist.
const files = {};
function load(path) {
  files[path] ??= fetch(`${root}search/${path}.json`).then(response => response.ok ? response.json() : response.status === 404 || response.status === 403 ? {} : failed(response));
  files[path].catch(() => delete files[path]);
  return files[path];
}

const wordsOf = text => (text.normalize('NFKD').replace(/[\u0300-\u036f\ufe00-\ufe0f]/g, '').normalize('NFC').toLowerCase()
  .match(/[\p{L}\p{M}\p{Nd}]+[+#]*/gu) || []).map(word => word.slice(0, 64));

// record returns an extension. order is its position in a file.
const record = (text, order) => ({
  key: text.slice(0, 6), installs: number(text[6]), ratings: amount(number(text[7])), rating: number(text[8]) / 10,
  updated: number(text.slice(9, 12)), published: number(text.slice(12)), order,
});

// findWord returns the records of the terms that begin with a word, by their keys, with their
// scores, and the beginnings of the keys of others.
async function findWord(word) {
  const { documents, terms = {} } = await load('terms/' + hex(hash([...word].slice(0, 3).join('')) & 255, 2));
  const found = new Map(), rest = new Set();
  for (const term in terms) {
    if (term !== word && !([...word].length > 2 && term.startsWith(word))) continue;
    const [list, others] = [terms[term]].flat();
    for (const posting of cut(list, 4)) {
      const order = number(posting.slice(0, 3)), r = record(documents.substr(order * recordSize, recordSize), order);
      r.score = Math.max(number(posting[3]) * word.length / term.length, found.get(r.key)?.score || 0);
      found.set(r.key, r);
    }
    for (const key of cut(others, 4)) rest.add(key);
  }
  return { found, rest };
}

// orders are the values by which records are sorted, by sortBy, with their names in top.json.
const orders = {
  0: ['installs', r => r.score], 1: ['updated', r => r.updated], 2: ['name', r => -r.order], 4: ['installs', r => r.installs],
  10: ['published', r => r.published], 12: ['rating', r => (r.ratings * r.rating + 80) / (r.ratings + 20)],
};

async function searchFiles(text, sort, page, size) {
  const words = [...new Set(wordsOf(text))].slice(0, mostWords), [name, value] = orders[sort];
  let all, total, more = false;
  if (text) {
    const parts = await Promise.all(words.map(findWord));
    // The order of names is that of a file which has all results, if there is one.
    parts.sort((a, b) => a.rest.size - b.rest.size);
    all = [...new Map(parts.toReversed().flatMap(part => [...part.found])).values()].filter(r => parts.every(part => part.found.has(r.key) || part.rest.has(r.key.slice(0, 4))));
    for (const r of all) r.score = parts.reduce((sum, part) => sum + (part.found.get(r.key)?.score || 0), 0) * (1 + r.installs / 16);
    all.sort((a, b) => value(b) - value(a) || b.installs - a.installs || a.order - b.order);
    total = all.length;
    more = parts.length > 0 && parts[0].rest.size > 0;
  } else {
    const top = await load('top');
    all = cut(top[name], recordSize).map(record);
    total = top.count;
  }
  const shown = all.slice((page - 1) * size, page * size);
  const extensions = await Promise.all(shown.map(async r => {
    const e = (await load('cards/' + hex(number(r.key.slice(0, 2)) >> 2, 3)))[r.key], installs = amount(r.installs), unit = 10 ** Math.floor(Math.log10(installs || 1));
    return { ...e, icon: e.icon && content + encodeURI(e.icon), facts: [
      installs ? `${(Math.floor(installs / unit) * unit).toLocaleString('en')}+ installs` : '', r.ratings ? `★ ${r.rating.toFixed(1)}` : '', e.updated].filter(Boolean) };
  }));
  // A card is missing for some minutes if its file is older in a cache than that of the word.
  return { extensions: extensions.filter(e => e.id), total, more, last: page * size >= all.length };
}

// card returns the row of an extension, as the pages have it.
function card(e) {
  const id = e.id.toLowerCase(), icon = safe(e.icon);
  const tile = () => make('span', { class: `icon tile-${hash(id) % 6}`, 'aria-hidden': 'true' }, (e.name.match(/[\p{L}\p{Nd}]/u)?.[0] || '·').toUpperCase());
  const picture = icon ? make('img', { class: 'icon', src: icon, alt: '', width: 48, height: 48 }) : tile();
  picture.onerror = () => picture.replaceWith(tile());
  return make('li', { class: 'card', 'data-id': id }, picture, make('div', {},
    make('h3', {}, make('a', { href: `${root}item/${encodeURIComponent(id)}.html` }, e.name)), e.deprecated ? make('span', { class: 'mark' }, 'Deprecated') : '',
    make('p', {}, e.description || ''), make('p', { class: 'small' }, [e.publisher, e.version, ...e.facts].join(' · '))));
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
    finish(found);
    const left = state?.row && rows.querySelector(`[data-id="${CSS.escape(state.row)}"] a`);
    if (left) { left.focus({ preventScroll: true }); scrollTo(0, state.top); }
  }
  async function next() {
    const current = newest, first = rows.children.length;
    const found = await query(input.value.trim(), +(sort.value || (input.value.trim() ? 0 : 4)), ++page, pageSize);
    if (current !== newest) return;
    rows.append(...found.extensions.map(card));
    finish(found);
    rows.children[first]?.querySelector('a').focus();
  }
  function finish(found) {
    count.textContent = (found.more ? 'More than ' : '') + counted(found.total, 'extension');
    more.hidden = found.last ?? rows.children.length >= found.total;
    rows.hidden = !found.total; // then the categories and letters are below
    byId('browse').hidden = !rows.hidden;
  }
  const fail = error => {
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
  const begin = () => { keep(null); show().catch(fail); };

  input.oninput = () => { clearTimeout(typing); typing = setTimeout(begin, 120); };
  sort.onchange = begin;
  more.onclick = () => next().catch(fail);
  input.form.onsubmit = event => { event.preventDefault(); clearTimeout(typing); begin(); };
  rows.onclick = event => {
    const row = event.target.closest('a')?.closest('li');
    if (row) keep({ page, row: row.dataset.id, top: scrollY });
  };
  if (history.state?.row) history.scrollRestoration = 'manual';
  show(history.state).catch(fail);
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
